#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace dachlast {

/// Reads a small file that people wrote in YAML or JSON, by its extension (.yaml, .yml, .json), as JSON.
/// Numbers  plain YAML scalars that read as a finite number, true, false or null are those; all others are texts.
/// Errors   throws `Error` (kInput) naming file, line and column; refuses files above 1 MiB, nesting deeper than 64,
///          more than 10,000 values (aliases counted as often as they are used) and keys that are stated twice.
nlohmann::json read_data_file(const std::filesystem::path& path);

/// Parses the text of a YAML file; `path` names it in errors.
nlohmann::json parse_yaml(const std::filesystem::path& path, const std::string& text);

/// Whether the name ends like one `read_data_file` reads.
bool is_data_file_name(const std::filesystem::path& path);

}  // namespace dachlast
