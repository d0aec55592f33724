#include "core/model/gguf.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "core/base/error.h"
#include "core/model/strict_json.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

/// "model-00002-of-00003.gguf" taken apart.
struct PartName {
  std::string stem;
  int number;  // from 1
  int count;
};

std::optional<int> five_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return text.size() == 5 ? std::optional(value) : std::nullopt;
}

std::optional<PartName> part_name(const fs::path& path) {
  constexpr std::string_view kPattern = "-00000-of-00000.gguf";
  const std::string name = path.filename().string();
  if (name.size() <= kPattern.size()) return std::nullopt;
  const std::string_view tail = std::string_view(name).substr(name.size() - kPattern.size());
  const auto number = five_digits(tail.substr(1, 5));
  const auto count = five_digits(tail.substr(10, 5));
  if (tail[0] != '-' || tail.substr(6, 4) != "-of-" || tail.substr(15) != ".gguf" || !number || !count)
    return std::nullopt;
  return PartName{name.substr(0, name.size() - kPattern.size()), *number, *count};
}

fs::path part_path(const fs::path& folder, const PartName& name, int number) {
  return folder / fmt::format("{}-{:05}-of-{:05}.gguf", name.stem, number, name.count);
}

Error split_error(const fs::path& path, std::string reason) {
  return {ErrorKind::kInput, path.string(), std::move(reason), "Copy or download all parts again, names unchanged."};
}

/// A key of the header that counts parts; `absent` where it is not there.
std::int64_t split_number(const GgufHeader& header, const fs::path& path, std::string_view key, std::int64_t absent) {
  const GgufValue* value = header.find_value(key);
  if (value == nullptr) return absent;
  const auto number = integer_of(*value);
  if (!number || *number < 0) throw split_error(path, fmt::format("its {} is no whole number.", key));
  return *number;
}

void check_part(const GgufHeader& part, const fs::path& path, int index, int count) {
  const std::int64_t stated_count = split_number(part, path, "split.count", 1);
  const std::int64_t stated_index = split_number(part, path, "split.no", 0);
  if (stated_count == count && stated_index == index) return;
  throw split_error(path, fmt::format("it says it is part {} of {}, but its name makes it part {} of {}.",
                                      stated_index + 1, stated_count, index + 1, count));
}

void check_tensors(std::span<const GgufHeader> parts, const fs::path& path) {
  std::unordered_set<std::string_view> names;
  for (const GgufHeader& part : parts)
    for (const GgufTensor& tensor : part.tensors)
      if (!names.insert(tensor.name).second)
        throw split_error(path, fmt::format("tensor {} is in two of its parts.", printable(tensor.name)));
  const auto found = static_cast<std::int64_t>(names.size());
  const std::int64_t stated = split_number(parts.front(), path, "split.tensors.count", found);
  if (stated != found)
    throw split_error(path, fmt::format("its parts hold {} tensors together, but {} are announced.", found, stated));
}

/// Name of a part of several, checked against what the header says.
PartName required_part_name(const fs::path& path, std::int64_t count) {
  const auto name = part_name(path);
  if (!name)
    throw split_error(path, fmt::format("it is one part of {}, but its name does not end in \"-00001-of-{:05}.gguf\", "
                                        "so the others cannot be found.",
                                        count, count));
  if (name->count != count || name->number < 1 || name->number > name->count)
    throw split_error(path, fmt::format("it says it is one part of {}, but its name says {} of {}.", count,
                                        name->number, name->count));
  return *name;
}

template <class T>
void append_elements(std::span<const std::byte> bytes, std::vector<std::int64_t>& values) {
  for (std::size_t at = 0; at + sizeof(T) <= bytes.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    values.push_back(static_cast<std::int64_t>(value));
  }
}

}  // namespace

std::optional<std::int64_t> integer_of(const GgufValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.value)) return *number;
  const auto* number = std::get_if<std::uint64_t>(&value.value);
  if (number == nullptr || *number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::optional<double> number_of(const GgufValue& value) {
  if (const auto* number = std::get_if<double>(&value.value)) return *number;
  const auto integer = integer_of(value);
  return integer ? std::optional(static_cast<double>(*integer)) : std::nullopt;
}

std::optional<bool> flag_of(const GgufValue& value) {
  const auto* flag = std::get_if<bool>(&value.value);
  return flag ? std::optional(*flag) : std::nullopt;
}

std::optional<std::string_view> text_of(const GgufValue& value) {
  const auto* text = std::get_if<std::string_view>(&value.value);
  return text ? std::optional(*text) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> integers_of(const GgufArray& array) {
  std::vector<std::int64_t> values;
  switch (array.element_type) {
    case GgufValueType::kBool:
    case GgufValueType::kU8: append_elements<std::uint8_t>(array.bytes, values); return values;
    case GgufValueType::kI8: append_elements<std::int8_t>(array.bytes, values); return values;
    case GgufValueType::kU16: append_elements<std::uint16_t>(array.bytes, values); return values;
    case GgufValueType::kI16: append_elements<std::int16_t>(array.bytes, values); return values;
    case GgufValueType::kU32: append_elements<std::uint32_t>(array.bytes, values); return values;
    case GgufValueType::kI32: append_elements<std::int32_t>(array.bytes, values); return values;
    case GgufValueType::kI64: append_elements<std::int64_t>(array.bytes, values); return values;
    default: return std::nullopt;
  }
}

const GgufValue* GgufHeader::find_value(std::string_view key) const {
  const auto found = metadata.find(key);
  return found == metadata.end() ? nullptr : &found->second;
}

const GgufTensor* GgufHeader::find_tensor(std::string_view name) const {
  const auto found = std::ranges::find(tensors, name, &GgufTensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  for (const GgufHeader& part : parts_)
    if (const GgufTensor* found = part.find_tensor(name)) return found;
  return nullptr;
}

std::size_t GgufFile::n_tensors() const {
  std::size_t n = 0;
  for (const GgufHeader& part : parts_) n += part.tensors.size();
  return n;
}

GgufFile GgufFile::in_memory(std::span<const std::byte> file, const std::string& subject, GgufExtent extent) {
  GgufFile result;
  result.path_ = subject;
  result.parts_.push_back(read_gguf_header(file, subject, extent));
  return result;
}

void GgufFile::add_part(const fs::path& path, GgufExtent extent) {
  const MappedFile& file = files_.emplace_back(path);
  parts_.push_back(read_gguf_header(file.bytes(), path.string(), extent));
}

GgufFile read_gguf(const fs::path& path, GgufExtent extent) {
  GgufFile result;
  result.path_ = path;
  result.add_part(path, extent);
  const std::int64_t count = split_number(result.first(), path, "split.count", 1);
  if (count <= 1) return result;
  const PartName name = required_part_name(path, count);
  result.files_.clear();
  result.parts_.clear();
  for (int number = 1; number <= name.count; ++number) {
    const fs::path part = part_path(path.parent_path(), name, number);
    std::error_code ignored;
    if (!fs::exists(part, ignored))
      throw Error(
          ErrorKind::kInput, path.string(),
          fmt::format("its part {} of {}, {}, is missing.", number, name.count, printable(part.filename().string())),
          "Copy or download it into the same folder.");
    result.add_part(part, extent);
    check_part(result.parts_.back(), part, number - 1, name.count);
  }
  check_tensors(result.parts_, path);
  return result;
}

}  // namespace dachlast
