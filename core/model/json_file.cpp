#include "core/model/json_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

constexpr std::size_t kLargestJsonBytes = std::size_t{16} << 20;
constexpr int kDeepestNesting = 64;

/// "line 3, column 14" of byte `offset`.
std::string position(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  return fmt::format("line {}, column {}", line, before.size() - line_start + 1);
}

/// The parser's message without its own code and position: "[json.exception.parse_error.101] parse error at …: reason".
std::string reason_of(const nlohmann::json::parse_error& error) {
  const std::string what = error.what();
  const std::size_t colon = what.find(": ");
  return colon == std::string::npos ? what : what.substr(colon + 2);
}

}  // namespace

std::string read_text_file(const std::filesystem::path& path, std::size_t limit_bytes) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(path, failed))
    throw Error(ErrorKind::kInput, path.string(), "is not a file.", "Check the path.");
  const auto size = std::filesystem::file_size(path, failed);
  if (failed) throw Error(ErrorKind::kInput, path.string(), failed.message() + ".");
  if (size > limit_bytes)
    throw Error(ErrorKind::kInput, path.string(), fmt::format("is {} bytes long, more than {}.", size, limit_bytes),
                "Is this the right file?");
  std::ifstream stream(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(size), '\0');
  if (!stream || !stream.read(text.data(), static_cast<std::streamsize>(size)))
    throw Error(ErrorKind::kInput, path.string(), "cannot be read.", "Check its permissions.");
  return text;
}

nlohmann::json parse_json(const std::filesystem::path& path, const std::string& text) {
  std::vector<std::set<std::string>> keys(kDeepestNesting + 2);  // of the open object at each depth
  const auto check = [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
    if (depth > kDeepestNesting)
      throw Error(ErrorKind::kInput, path.string(), fmt::format("is nested more than {} deep.", kDeepestNesting),
                  "Is this the right file?");
    const auto level = static_cast<std::size_t>(depth);
    if (event == nlohmann::json::parse_event_t::object_start) keys[level + 1].clear();
    if (event == nlohmann::json::parse_event_t::key && !keys[level].insert(parsed.get<std::string>()).second)
      throw Error(ErrorKind::kInput, path.string(),
                  fmt::format("states \"{}\" twice.", printable(parsed.get<std::string>())), "Keep one of the two.");
    return true;
  };
  try {
    return nlohmann::json::parse(text, check);
  } catch (const nlohmann::json::parse_error& error) {
    const std::size_t offset = error.byte > 0 ? error.byte - 1 : 0;
    throw Error(ErrorKind::kInput, path.string(),
                fmt::format("is not valid JSON at {}: {}.", position(text, offset), reason_of(error)));
  } catch (const nlohmann::json::exception& error) {  // a number beyond the range of double
    throw Error(ErrorKind::kInput, path.string(), fmt::format("is not valid JSON: {}.", error.what()));
  }
}

nlohmann::json read_json_file(const std::filesystem::path& path) {
  return parse_json(path, read_text_file(path, kLargestJsonBytes));
}

}  // namespace dachlast
