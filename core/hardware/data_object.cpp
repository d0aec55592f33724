#include "core/hardware/data_object.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/base/units.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

struct SizeUnit {
  Dimension dimension;
  const char* text;        // as people write it behind a number
  const char* key_suffix;  // of the key of a plain number
  double base;             // bytes, bytes/s or FLOP/s
};
constexpr std::array kSizeUnits = {
    SizeUnit{Dimension::kCapacity, "B", "_bytes", 1.0},         SizeUnit{Dimension::kCapacity, "KiB", "_kib", kKiB},
    SizeUnit{Dimension::kCapacity, "MiB", "_mib", kMiB},        SizeUnit{Dimension::kCapacity, "GiB", "_gib", kGiB},
    SizeUnit{Dimension::kCapacity, "TiB", "_tib", 1024 * kGiB}, SizeUnit{Dimension::kCapacity, "kB", "_kb", 1e3},
    SizeUnit{Dimension::kCapacity, "MB", "_mb", 1e6},           SizeUnit{Dimension::kCapacity, "GB", "_gb", 1e9},
    SizeUnit{Dimension::kCapacity, "TB", "_tb", 1e12},          SizeUnit{Dimension::kBandwidth, "MB/s", "_mb_s", 1e6},
    SizeUnit{Dimension::kBandwidth, "GB/s", "_gb_s", 1e9},      SizeUnit{Dimension::kBandwidth, "TB/s", "_tb_s", 1e12},
    SizeUnit{Dimension::kBandwidth, "GiB/s", "_gib_s", kGiB},   SizeUnit{Dimension::kRate, "GFLOP/s", "_gflops", 1e9},
    SizeUnit{Dimension::kRate, "TFLOP/s", "_tflops", 1e12},     SizeUnit{Dimension::kRate, "PFLOP/s", "_pflops", 1e15},
    SizeUnit{Dimension::kRate, "GFLOPS", nullptr, 1e9},         SizeUnit{Dimension::kRate, "TFLOPS", nullptr, 1e12},
    SizeUnit{Dimension::kRate, "PFLOPS", nullptr, 1e15},        SizeUnit{Dimension::kRate, "TOP/s", "_tops", 1e12},
    SizeUnit{Dimension::kRate, "TOPS", nullptr, 1e12},          SizeUnit{Dimension::kRate, "POPS", "_pops", 1e15}};

/// Far beyond any machine there is or will be for decades, and far inside double: products of two stay finite.
constexpr double kLargestSize = 1e24;

std::string example_of(Dimension dimension) {
  constexpr const char* kExamples[] = {"\"192 GiB\"", "\"8 TB/s\"", "\"2.25 PFLOP/s\""};
  return kExamples[static_cast<int>(dimension)];
}

std::string shown(const json& value) {
  return printable(value.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool plausible(double size) {
  return std::isfinite(size) && size > 0.0 && size <= kLargestSize;
}

}  // namespace

std::optional<double> parse_size(std::string_view text, Dimension dimension) {
  std::string digits;  // without grouping commas
  std::size_t end = 0;
  for (const std::string_view body = trimmed(text); end < body.size(); ++end) {
    const char c = body[end];
    if (c != ',' && c != '.' && (c < '0' || c > '9')) break;
    if (c != ',') digits += c;
  }
  const std::string_view unit = trimmed(trimmed(text).substr(end));
  double number = 0.0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc{} || stop != digits.data() + digits.size()) return std::nullopt;
  for (const SizeUnit& known : kSizeUnits)
    if (known.dimension == dimension && unit == known.text && plausible(number * known.base))
      return number * known.base;
  return std::nullopt;
}

DataObject::DataObject(const json& value, std::filesystem::path file, std::string prefix)
    : value_(value), file_(std::move(file)), prefix_(std::move(prefix)) {
  if (!value_.is_object())
    throw Error(ErrorKind::kInput, file_.string(),
                fmt::format("{} is not an object of keys and values.",
                            prefix_.empty() ? "the document" : fmt::format("\"{}\"", prefix_)));
  if (!prefix_.empty()) prefix_ += '.';
}

bool DataObject::has(const std::string& key) {
  known_.insert(key);
  return value_.contains(key) && !value_.at(key).is_null();
}

const json& DataObject::required(const std::string& key) {
  if (!has(key)) fail(key, "is missing");
  return value_.at(key);
}

std::string DataObject::text(const std::string& key) {
  const json& value = required(key);
  if (!value.is_string()) fail(key, fmt::format("is {}, not a text", shown(value)));
  if (value.get_ref<const std::string&>().empty()) fail(key, "is empty");
  return printable(value.get<std::string>());
}

std::string DataObject::text_or(const std::string& key, std::string fallback) {
  return has(key) ? text(key) : std::move(fallback);
}

std::vector<std::string> DataObject::texts_or_none(const std::string& key) {
  if (!has(key)) return {};
  const json& list = value_.at(key);
  if (!list.is_array()) fail(key, fmt::format("is {}, not a list", shown(list)));
  std::vector<std::string> texts;
  for (const json& item : list) {
    if (!item.is_string()) fail(key, fmt::format("holds {}, not a text", shown(item)));
    texts.push_back(printable(item.get<std::string>()));
  }
  return texts;
}

std::size_t DataObject::choice(const std::string& key, std::initializer_list<const char*> names) {
  const std::string name = text(key);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  std::string list;
  for (const char* known : names) list += fmt::format("{}\"{}\"", list.empty() ? "" : ", ", known);
  fail(key, fmt::format("is \"{}\"", name), fmt::format("It can be one of {}.", list));
}

std::optional<int> DataObject::count(const std::string& key, int limit) {
  if (!has(key)) return std::nullopt;
  const json& value = value_.at(key);
  if (!value.is_number_integer()) fail(key, fmt::format("is {}, not a whole number", shown(value)));
  if (value < 1 || value > limit) fail(key, fmt::format("is {}, outside 1 … {}", shown(value), limit));
  return value.get<int>();
}

std::optional<double> DataObject::number(const std::string& key, double limit) {
  if (!has(key)) return std::nullopt;
  const json& value = value_.at(key);
  if (!value.is_number()) fail(key, fmt::format("is {}, not a number", shown(value)));
  const auto number = value.get<double>();
  if (!(number >= 0.0 && number <= limit)) fail(key, fmt::format("is {}, outside 0 … {}", shown(value), limit));
  return number;
}

std::optional<double> DataObject::size(const std::string& key, Dimension dimension) {
  std::optional<double> size;
  std::string stated_as;
  const auto take = [&](const std::string& spelling, std::optional<double> value, const json& shown_value) {
    if (!value || !plausible(*value))
      fail(spelling, fmt::format("is {}, not a size above zero", shown(shown_value)),
           fmt::format("Write it like {}.", example_of(dimension)));
    if (size) fail(spelling, fmt::format("states again what \"{}\" states", stated_as), "Keep one of the two.");
    size = value;
    stated_as = spelling;
  };
  if (has(key)) {
    const json& value = value_.at(key);
    take(key, value.is_string() ? parse_size(value.get<std::string>(), dimension) : std::nullopt, value);
  }
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.dimension != dimension || unit.key_suffix == nullptr) continue;
    const std::string spelling = key + unit.key_suffix;
    if (!has(spelling)) continue;
    const json& value = value_.at(spelling);
    take(spelling, value.is_number() ? std::optional(value.get<double>() * unit.base) : std::nullopt, value);
  }
  return size;
}

DataObject DataObject::object(const std::string& key) {
  return {required(key), file_, prefix_ + key};
}

std::vector<DataObject> DataObject::objects_or_none(const std::string& key) {
  if (!has(key)) return {};
  const json& list = value_.at(key);
  if (!list.is_array()) fail(key, fmt::format("is {}, not a list", shown(list)));
  std::vector<DataObject> objects;
  objects.reserve(list.size());
  for (std::size_t i = 0; i < list.size(); ++i)
    objects.emplace_back(list[i], file_, fmt::format("{}{}[{}]", prefix_, key, i));
  return objects;
}

void DataObject::finish() const {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& [key, value] : value_.items()) {
    if (known_.contains(key)) continue;
    const auto nearest = nearest_name(key, known);
    fail(printable(key), "is not a key that is known here",
         nearest ? fmt::format("Did you mean \"{}\"?", *nearest) : "Leave it out, or write it into \"notes\".");
  }
}

void DataObject::fail(const std::string& key, const std::string& reason, const std::string& way_out) const {
  throw Error(ErrorKind::kInput, file_.string(), fmt::format("\"{}{}\" {}.", prefix_, key, reason), way_out);
}

}  // namespace dachlast
