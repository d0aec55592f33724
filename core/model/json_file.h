#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace dachlast {

/// Bytes of a text file that people wrote: configs and indexes.
/// Errors   throws `Error` (kInput) where it is no regular file, cannot be read or exceeds `limit_bytes`.
std::string read_text_file(const std::filesystem::path& path, std::size_t limit_bytes);

/// Parses the text of `path`. Refuses more than 16 MiB and nesting deeper than 64: no config needs either.
/// Errors   throws `Error` (kInput) naming file, line and column.
nlohmann::json parse_json(const std::filesystem::path& path, const std::string& text);

/// Reads and parses.
nlohmann::json read_json_file(const std::filesystem::path& path);

}  // namespace dachlast
