#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/dtype.h"

namespace dachlast {

/// How matrices of weights are kept: plain elements, or integers that share a scale along a row or a group of it.
/// Implicit from `DType`: a plain type is the simplest way to keep weights.
class WeightType {
 public:
  constexpr WeightType() = default;
  constexpr WeightType(DType plain) : plain_(plain) {}  // NOLINT(google-explicit-constructor)

  /// Integers of 4 or 8 bits; `group` elements of a row share a scale, 0: the whole row.
  static constexpr WeightType integers(int bits, int group) {
    WeightType type(DType::kI8);
    type.bits_ = static_cast<std::uint8_t>(bits);
    type.group_ = static_cast<std::uint8_t>(group);
    return type;
  }

  constexpr bool quantized() const { return bits_ != 0; }
  /// Type of the elements; empty for integers with scales.
  constexpr std::optional<DType> plain() const { return quantized() ? std::nullopt : std::optional(plain_); }
  /// Bits of an element, scales left out.
  constexpr int bits() const { return quantized() ? bits_ : 8 * size_of(plain_); }
  /// Elements that share a scale; 0: a whole row, or no scale at all.
  constexpr int group() const { return group_; }

  friend constexpr bool operator==(const WeightType&, const WeightType&) = default;

 private:
  DType plain_ = DType::kF32;
  std::uint8_t bits_ = 0;  // 0: plain
  std::uint8_t group_ = 0;
};

inline constexpr WeightType kInt8Rows = WeightType::integers(8, 0);
inline constexpr WeightType kInt8Groups32 = WeightType::integers(8, 32);
inline constexpr WeightType kInt4Groups32 = WeightType::integers(4, 32);
inline constexpr WeightType kInt4Groups128 = WeightType::integers(4, 128);

inline constexpr WeightType kQuantizedTypes[] = {kInt8Rows, kInt8Groups32, kInt4Groups32, kInt4Groups128};

/// Name as options, files and machine formats spell it: of a plain type its own, else "int8", "int8:32", "int4:32",
/// "int4:128".
constexpr std::string_view name_of(WeightType type) {
  if (type == kInt8Rows) return "int8";
  if (type == kInt8Groups32) return "int8:32";
  if (type == kInt4Groups32) return "int4:32";
  if (type == kInt4Groups128) return "int4:128";
  return type.plain() ? name_of(*type.plain()) : std::string_view{};
}

/// Name as people read it in sentences: "BF16", "INT8", "INT4 in groups of 32".
constexpr std::string_view display_name_of(WeightType type) {
  if (type == kInt8Rows) return "INT8";
  if (type == kInt8Groups32) return "INT8 in groups of 32";
  if (type == kInt4Groups32) return "INT4 in groups of 32";
  if (type == kInt4Groups128) return "INT4 in groups of 128";
  return type.plain() ? display_name_of(*type.plain()) : std::string_view{};
}

/// The inverse of `name_of`; "int4" alone is "int4:32". Empty for any other text.
constexpr std::optional<WeightType> weight_type_from_name(std::string_view name) {
  if (name == "int4") return kInt4Groups32;
  for (const WeightType type : kQuantizedTypes)
    if (name_of(type) == name) return type;
  if (const auto plain = dtype_from_name(name)) return WeightType(*plain);
  return std::nullopt;
}

}  // namespace dachlast
