#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dachlast {

/// Element types of weights, activations, KV caches and arithmetic.
enum class DType : std::uint8_t { kF32, kF16, kBF16, kI8 };

inline constexpr DType kAllDTypes[] = {DType::kF32, DType::kF16, DType::kBF16, DType::kI8};

/// Bytes per element.
constexpr int size_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return 4;
    case DType::kF16:
    case DType::kBF16: return 2;
    case DType::kI8: return 1;
  }
  return 0;
}

/// Name as options, files and machine formats spell it: "f32", "f16", "bf16", "i8".
constexpr std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "f32";
    case DType::kF16: return "f16";
    case DType::kBF16: return "bf16";
    case DType::kI8: return "i8";
  }
  return "";
}

/// Name as people read it in sentences and charts: "FP32", "FP16", "BF16", "INT8".
constexpr std::string_view display_name_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return "FP32";
    case DType::kF16: return "FP16";
    case DType::kBF16: return "BF16";
    case DType::kI8: return "INT8";
  }
  return "";
}

/// The inverse of `name_of`; empty for any other text.
constexpr std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DType dtype : kAllDTypes)
    if (name_of(dtype) == name) return dtype;
  return std::nullopt;
}

}  // namespace dachlast
