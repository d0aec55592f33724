#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace dachlast {

/// How K and V are stored. Layout and scales: kernels/kv_view.h.
enum class KvFormat : std::uint8_t { kF32, kBF16, kF16, kInt8, kInt4, kFp8 };

inline constexpr KvFormat kAllKvFormats[] = {KvFormat::kF32,  KvFormat::kBF16, KvFormat::kF16,
                                             KvFormat::kInt8, KvFormat::kInt4, KvFormat::kFp8};

/// Name as options, files and machine formats spell it.
constexpr std::string_view name_of(KvFormat format) {
  constexpr std::string_view names[] = {"f32", "bf16", "f16", "int8", "int4", "fp8"};
  return names[static_cast<int>(format)];
}

/// Name as people read it.
constexpr std::string_view display_name_of(KvFormat format) {
  constexpr std::string_view names[] = {"FP32", "BF16", "FP16", "INT8", "INT4", "FP8"};
  return names[static_cast<int>(format)];
}

constexpr std::optional<KvFormat> kv_format_from_name(std::string_view name) {
  for (const KvFormat format : kAllKvFormats)
    if (name_of(format) == name) return format;
  return std::nullopt;
}

constexpr bool has_scales(KvFormat format) {
  return format == KvFormat::kInt8 || format == KvFormat::kInt4 || format == KvFormat::kFp8;
}

/// Which keys share a scale. A few channels of K are large in every token, so scales along channels lose less there;
/// they need all tokens of a block, and those of the newest, incomplete block wait in bf16. Values have scales per token
/// and KV head always. Without effect on f32, bf16 and f16.
/// Source   KIVI, Liu et al. 2024, arXiv:2402.02750, section 3.1; what waits is its residual window, of one block.
enum class KeyScales : std::uint8_t { kPerToken, kPerChannel };

/// How a cache keeps what it holds, as far as traffic depends on it.
struct KvStorage {
  KvFormat format = KvFormat::kF32;
  KeyScales key_scales = KeyScales::kPerToken;
  int block_size = 0;  // tokens; 0: one block per sequence

  friend constexpr bool operator==(const KvStorage&, const KvStorage&) = default;
};

}  // namespace dachlast
