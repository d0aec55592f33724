#include "core/model/weight_format.h"

#include <fmt/core.h>

#include <charconv>
#include <vector>

#include "core/base/error.h"
#include "core/base/nearest_name.h"

namespace dachlast {
namespace {

[[noreturn]] void refuse_name(std::string_view name) {
  std::string known;
  std::vector<std::string> names;
  for (const StorageFormat& format : storage_formats()) {
    known += (known.empty() ? "" : ", ") + std::string(format.name);
    names.emplace_back(format.name);
  }
  const auto nearest = nearest_name(name, names);
  throw Error(ErrorKind::kUsage, fmt::format("weight format {}", name), "is not known.",
              nearest ? fmt::format("Did you mean {}? Known: {}.", *nearest, known) : fmt::format("Known: {}.", known));
}

int group_size(std::string_view name, std::string_view digits) {
  int size = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size);
  if (error == std::errc() && end == digits.data() + digits.size() && size > 0 && size <= 1 << 20) return size;
  throw Error(ErrorKind::kUsage, fmt::format("weight format {}", name),
              fmt::format("\"{}\" is not a group size.", digits),
              "Give the weights a scale is shared by, as in awq:64.");
}

bool is_plain(const StorageFormat& format) {
  return format.source.empty();
}

}  // namespace

WeightFormat plain_weights(const StorageFormat& type) {
  return {.quantized = type, .rest = type, .covered = {}};
}

WeightFormat weight_format(std::string_view name, const StorageFormat& rest) {
  const std::size_t colon = name.find(':');
  const StorageFormat* found = storage_format(name.substr(0, colon));
  if (found == nullptr) refuse_name(name.substr(0, colon));
  StorageFormat format = *found;
  if (colon != std::string_view::npos) {
    if (format.group_columns == 0)
      throw Error(ErrorKind::kUsage, fmt::format("weight format {}", name),
                  fmt::format("{} has no groups.", format.name), fmt::format("Write {}.", format.name));
    format.group_columns = group_size(name, name.substr(colon + 1));
  }
  if (is_plain(format)) return plain_weights(format);
  return {.quantized = format, .rest = rest, .covered = kProjections};
}

std::string title_of(const WeightFormat& format) {
  if (!format.is_quantized()) return std::string(format.rest.title);
  const bool experts_only = format.covered == MatrixKinds().with(MatrixKind::kExpert);
  return fmt::format("{}{}, {} for the rest", format.quantized.title, experts_only ? " (experts)" : "",
                     format.rest.title);
}

}  // namespace dachlast
