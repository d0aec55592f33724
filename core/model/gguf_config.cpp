#include "core/model/gguf_config.h"

#include <fmt/core.h>

#include <cmath>

#include "core/base/error.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

std::string read_architecture(const GgufFile& file) {
  const GgufValue* value = file.first().find_value("general.architecture");
  const auto text = value ? text_of(*value) : std::nullopt;
  if (text && !text->empty()) return std::string(*text);
  throw Error(ErrorKind::kInput, file.path().string(), "it does not state its general.architecture.",
              "Is this a language model, and the first part of it?");
}

std::string shown(const GgufValue& value) {
  if (const auto number = number_of(value)) return fmt::format("{}", *number);
  if (const auto flag = flag_of(value)) return *flag ? "true" : "false";
  if (const auto text = text_of(value)) return fmt::format("\"{}\"", printable(*text));
  return "[…]";
}

/// Absent features are often stated as 0, "none" or false.
bool neutral(const GgufValue& value) {
  return number_of(value) == 0.0 || flag_of(value) == false || text_of(value) == "none" || text_of(value) == "";
}

}  // namespace

GgufConfig::GgufConfig(const GgufFile& file, std::vector<ConfigWarning>& warnings)
    : file_(file), warnings_(warnings), architecture_(read_architecture(file)) {}

const GgufValue* GgufConfig::find(const std::string& key) {
  read_.insert(key);
  return file_.first().find_value(architecture_ + "." + key);
}

bool GgufConfig::has(const std::string& key) {
  return find(key) != nullptr;
}

int GgufConfig::checked_size(const std::string& key, std::int64_t value, int limit) const {
  if (value <= 0 || value > limit) fail(key, fmt::format("is {}, not in 1 … {}", value, limit));
  return static_cast<int>(value);
}

int GgufConfig::checked_count(const std::string& key, std::int64_t value, int limit) const {
  if (value < 0 || value > limit) fail(key, fmt::format("is {}, not in 0 … {}", value, limit));
  return static_cast<int>(value);
}

int GgufConfig::size(const std::string& key, int limit) {
  const auto value = size_if_any(key, limit);
  if (!value) fail(key, "is missing");
  return *value;
}

std::optional<int> GgufConfig::size_if_any(const std::string& key, int limit) {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto integer = integer_of(*value);
  if (!integer) fail(key, "is no whole number");
  return checked_size(key, *integer, limit);
}

std::optional<std::vector<std::int64_t>> GgufConfig::layer_list(const std::string& key, int n_layers) {
  const GgufValue* value = find(key);
  const auto* array = value ? std::get_if<GgufArray>(&value->value) : nullptr;
  if (array == nullptr) return std::nullopt;
  if (array->count != static_cast<std::uint64_t>(n_layers))
    fail(key, fmt::format("lists {} layers of {}", array->count, n_layers));
  const auto values = integers_of(*array);
  if (!values) fail(key, "is no list of whole numbers");
  return values;
}

std::vector<int> GgufConfig::layer_sizes(const std::string& key, int n_layers, int limit) {
  const auto listed = layer_list(key, n_layers);
  if (!listed) return std::vector<int>(static_cast<std::size_t>(n_layers), size(key, limit));
  std::vector<int> sizes;
  for (const std::int64_t value : *listed) sizes.push_back(checked_size(key, value, limit));
  return sizes;
}

int GgufConfig::count_or(const std::string& key, int fallback, int limit) {
  const GgufValue* value = find(key);
  if (value == nullptr) return fallback;
  const auto integer = integer_of(*value);
  if (!integer) fail(key, "is no whole number");
  return checked_count(key, *integer, limit);
}

std::vector<int> GgufConfig::layer_counts(const std::string& key, int n_layers, int limit) {
  const auto listed = layer_list(key, n_layers);
  if (!listed) return std::vector<int>(static_cast<std::size_t>(n_layers), count_or(key, 0, limit));
  std::vector<int> counts;
  for (const std::int64_t value : *listed) counts.push_back(checked_count(key, value, limit));
  return counts;
}

std::optional<double> GgufConfig::non_negative_if_any(const std::string& key) {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = number_of(*value);
  if (!number) fail(key, "is no number");
  if (!std::isfinite(*number) || *number < 0.0) fail(key, fmt::format("is {}, not a positive number", *number));
  return number;
}

std::optional<double> GgufConfig::positive_if_any(const std::string& key) {
  const auto number = non_negative_if_any(key);
  if (number == 0.0) fail(key, "is 0, not a positive number");
  return number;
}

std::string GgufConfig::text_or(const std::string& key, std::string fallback) {
  const GgufValue* value = find(key);
  if (value == nullptr) return fallback;
  const auto text = text_of(*value);
  if (!text) fail(key, "is no text");
  return std::string(*text);
}

bool GgufConfig::flag_or(const std::string& key, bool fallback) {
  const GgufValue* value = find(key);
  if (value == nullptr) return fallback;
  const auto flag = flag_of(*value);
  if (!flag) fail(key, "is neither true nor false");
  return *flag;
}

void GgufConfig::warn_about_unread_keys() {
  const std::string prefix = architecture_ + ".";
  for (const auto& [key, value] : file_.first().metadata) {
    if (!key.starts_with(prefix) || read_.contains(std::string(key.substr(prefix.size()))) || neutral(value)) continue;
    warn("unknown_field",
         fmt::format("{} = {} is not known here and was left out of every figure", printable(key), shown(value)));
  }
}

void GgufConfig::fail(const std::string& key, const std::string& reason, const std::string& way_out) const {
  throw Error(ErrorKind::kInput, file_.path().string(),
              fmt::format("\"{}.{}\" {}.", printable(architecture_), key, reason), way_out);
}

}  // namespace dachlast
