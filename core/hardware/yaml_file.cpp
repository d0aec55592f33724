#include "core/hardware/yaml_file.h"

#include <fmt/core.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/model/json_file.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestFileBytes = std::size_t{1} << 20;
constexpr int kDeepestNesting = 64;
constexpr int kMostValues = 10'000;

std::string place_of(const YAML::Mark& mark) {
  return mark.is_null() ? "" : fmt::format(" at line {}, column {}", mark.line + 1, mark.column + 1);
}

/// Turns the nodes of one document into JSON, with limits that aliases of aliases cannot get around.
class YamlConverter {
 public:
  explicit YamlConverter(const std::filesystem::path& path) : path_(path) {}

  json convert(const YAML::Node& node, int depth) {
    if (depth > kDeepestNesting) refuse(node, fmt::format("is nested more than {} deep", kDeepestNesting));
    if (++n_values_ > kMostValues) refuse(node, fmt::format("holds more than {} values", kMostValues));
    if (node.IsMap()) return convert_map(node, depth);
    if (node.IsSequence()) return convert_list(node, depth);
    if (node.IsScalar()) return convert_scalar(node);
    return nullptr;
  }

 private:
  json convert_map(const YAML::Node& node, int depth) {
    json object = json::object();
    for (const auto& entry : node) {
      const YAML::Node key = entry.first;
      if (!key.IsScalar()) refuse(key, "has a key that is not a name");
      if (object.contains(key.Scalar())) refuse(key, fmt::format("states \"{}\" twice", printable(key.Scalar())));
      object[key.Scalar()] = convert(entry.second, depth + 1);
    }
    return object;
  }

  json convert_list(const YAML::Node& node, int depth) {
    json list = json::array();
    for (const auto& item : node) list.push_back(convert(item, depth + 1));
    return list;
  }

  /// Quoted scalars carry the tag "!"; only plain ones, "?", can be anything but text.
  static json convert_scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() != "?") return text;
    if (text == "true" || text == "false") return text == "true";
    std::int64_t whole = 0;
    double number = 0.0;
    const char* end = text.data() + text.size();
    if (const auto read = std::from_chars(text.data(), end, whole); read.ec == std::errc{} && read.ptr == end)
      return whole;
    if (const auto read = std::from_chars(text.data(), end, number);
        read.ec == std::errc{} && read.ptr == end && std::isfinite(number))
      return number;
    return text;
  }

  [[noreturn]] void refuse(const YAML::Node& node, const std::string& reason) const {
    throw Error(ErrorKind::kInput, path_.string(), fmt::format("{}{}.", reason, place_of(node.Mark())),
                "Is this the right file?");
  }

  const std::filesystem::path& path_;
  int n_values_ = 0;
};

}  // namespace

bool is_data_file_name(const std::filesystem::path& path) {
  return path.extension() == ".json" || path.extension() == ".yaml" || path.extension() == ".yml";
}

json parse_yaml(const std::filesystem::path& path, const std::string& text) {
  try {
    const YAML::Node root = YAML::Load(text);
    return YamlConverter(path).convert(root, 0);
  } catch (const YAML::Exception& error) {
    throw Error(ErrorKind::kInput, path.string(),
                fmt::format("is not valid YAML{}: {}.", place_of(error.mark), printable(error.msg)));
  }
}

json read_data_file(const std::filesystem::path& path) {
  if (!is_data_file_name(path))
    throw Error(ErrorKind::kInput, path.string(), "ends neither in .yaml nor in .json.",
                "Rename it after what it holds.");
  const std::string text = read_text_file(path, kLargestFileBytes);
  return path.extension() == ".json" ? parse_json(path, text) : parse_yaml(path, text);
}

}  // namespace dachlast
