#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/base/half.h"
#include "kernels/kv_view.h"

// Element codes of the narrow KV formats, one element at a time.
namespace dachlast::kernels::cpu {

/// Rounds to nearest even; beyond the largest half an infinity.
inline F16 to_f16(float x) {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u;
  const float magnitude = std::abs(x);
  if (std::isnan(x)) return {static_cast<std::uint16_t>(sign | 0x7e00u)};
  if (magnitude >= 65520.0f) return {static_cast<std::uint16_t>(sign | 0x7c00u)};
  // Adding 2^k whose last mantissa bit is the half's rounds at that bit; below 2^-14 that bit is 2^-24.
  const std::uint32_t exponent = std::max(std::bit_cast<std::uint32_t>(magnitude) >> 23, 113u);
  const float anchor = std::bit_cast<float>((exponent + 13u) << 23);
  const float rounded = (magnitude + anchor) - anchor;
  if (rounded < 0x1p-14f) return {static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(rounded * 0x1p24f))};
  return {static_cast<std::uint16_t>(sign | ((std::bit_cast<std::uint32_t>(rounded) - (112u << 23)) >> 13))};
}

inline constexpr float kFp8Largest = 448.0f;
inline constexpr float kInt8Largest = 127.0f;
inline constexpr float kInt4Largest = 15.0f;

/// E4M3: exponent bias 7, subnormals of 2^-9; rounds to nearest even, saturates, a NaN stays one.
inline std::uint8_t to_fp8(float x) {
  const auto sign = static_cast<std::uint8_t>(std::bit_cast<std::uint32_t>(x) >> 24 & 0x80u);
  if (std::isnan(x)) return sign | 0x7fu;
  const float magnitude = std::min(std::abs(x), kFp8Largest);
  const std::uint32_t exponent = std::max(std::bit_cast<std::uint32_t>(magnitude) >> 23, 121u);  // 2^-6
  const float anchor = std::bit_cast<float>((exponent + 20u) << 23);
  const float rounded = (magnitude + anchor) - anchor;
  if (rounded < 0x1p-6f) return static_cast<std::uint8_t>(sign | static_cast<std::uint32_t>(rounded * 0x1p9f));
  return static_cast<std::uint8_t>(sign | ((std::bit_cast<std::uint32_t>(rounded) - (120u << 23)) >> 20));
}

/// Exact: exponent and mantissa land in their places of a float whose exponent is 120 too small.
constexpr float fp8_to_float(std::uint8_t code) {
  if ((code & 0x7fu) == 0x7fu) return std::bit_cast<float>(0x7fc00000u);
  const float magnitude = std::bit_cast<float>(static_cast<std::uint32_t>(code & 0x7fu) << 20) * 0x1p120f;
  return (code & 0x80u) != 0 ? -magnitude : magnitude;
}

/// Nearest code of a value in units of the scale; a NaN takes the largest one.
inline int nearest_code(float x, float lowest, float largest) {
  return static_cast<int>(std::nearbyint(std::max(lowest, std::min(largest, x))));
}

/// The two halves of an int4 scale word.
struct Int4Scale {
  float step;
  float low;
};

inline Int4Scale int4_scale(ScaleWord word) {
  return {to_float(BF16{static_cast<std::uint16_t>(word)}), to_float(BF16{static_cast<std::uint16_t>(word >> 16)})};
}

/// Both rounded to bfloat16 before codes are chosen, so that their rounding costs nothing within the range.
inline ScaleWord int4_word(float lowest, float largest) {
  const BF16 low = to_bf16(lowest), step = to_bf16((largest - to_float(low)) / kInt4Largest);
  return step.bits | static_cast<ScaleWord>(low.bits) << 16;
}

/// Byte and shift of element `i` in a row of int4 codes.
struct Int4Place {
  std::size_t byte;
  int shift;
};

inline Int4Place int4_place(int i) {
  constexpr int kHalf = kInt4Group / 2;
  const int within = i % kInt4Group;
  return {static_cast<std::size_t>(i / kInt4Group * kHalf + within % kHalf), within < kHalf ? 0 : 4};
}

/// 1 / scale, or 0 where all elements are 0 and every code will do.
inline float inverse(float scale) {
  return scale > 0.0f ? 1.0f / scale : 0.0f;
}

inline float scale_of_largest(KvFormat format, float largest) {
  return largest / (format == KvFormat::kFp8 ? kFp8Largest : kInt8Largest);
}

inline std::byte int8_code(float x, float inverse_scale) {
  return static_cast<std::byte>(nearest_code(x * inverse_scale, -kInt8Largest, kInt8Largest));
}

inline std::byte fp8_code(float x, float inverse_scale) {
  return static_cast<std::byte>(to_fp8(x * inverse_scale));
}

inline void put_int4(float x, const Int4Scale& scale, int column, std::byte* row) {
  const Int4Place place = int4_place(column);
  const int code = nearest_code((x - scale.low) * inverse(scale.step), 0.0f, kInt4Largest);
  const std::byte kept = row[place.byte] & static_cast<std::byte>(0xf0 >> place.shift);
  row[place.byte] = kept | static_cast<std::byte>(code << place.shift);
}

}  // namespace dachlast::kernels::cpu
