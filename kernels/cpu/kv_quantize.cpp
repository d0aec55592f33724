// Rows of a KV cache, quantized a vector at a time: the steps of kv_codes.h in the lanes of registers.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/kv_quantize.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/kv_codes.h"
#include "kernels/cpu/kv_quantize.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

using BitsTag = hn::RebindToUnsigned<FloatTag>;
using BitsVector = hn::VFromD<BitsTag>;

/// Largest magnitude of a row; NaN where an element is not finite.
HWY_INLINE float largest_magnitude(std::span<const float> row) {
  const FloatTag d;
  FloatVector largest = hn::Zero(d), poison = hn::Zero(d);
  const int n = static_cast<int>(row.size());
  for (int i = 0; i < n; i += kLanes) {
    const FloatVector x = load_up_to(d, row.data() + i, HWY_MIN(kLanes, n - i)), magnitude = hn::Abs(x);
    largest = hn::IfThenElse(hn::Lt(largest, magnitude), magnitude, largest);  // a NaN never is
    poison = hn::MulAdd(x, hn::Zero(d), poison);
  }
  return max_of(d, largest) + sum_of(d, poison);
}

/// As `nearest_code`, in its order of comparisons: a NaN takes the largest code.
HWY_INLINE auto nearest_codes(FloatVector x, float lowest, float largest) {
  const FloatTag d;
  const FloatVector most = hn::Set(d, largest), least = hn::Set(d, lowest);
  x = hn::IfThenElse(hn::Lt(x, most), x, most);
  return hn::NearestInt(hn::IfThenElse(hn::Lt(least, x), x, least));
}

HWY_INLINE void store_bytes(BitsVector codes, int n, std::byte* out) {
  const hn::Rebind<std::uint8_t, FloatTag> d8;
  alignas(64) std::uint8_t buffer[kLanes];
  const auto narrow = hn::TruncateTo(d8, codes);
  if (n == kLanes) return hn::StoreU(narrow, d8, reinterpret_cast<std::uint8_t*>(out));
  hn::Store(narrow, d8, buffer);
  std::memcpy(out, buffer, static_cast<std::size_t>(n));
}

/// The bits of (magnitude + anchor) − anchor, anchor = 2^(exponent + `up`), the exponent at least `least`: rounded to
/// nearest even at the last bit that the anchor's mantissa keeps.
HWY_INLINE FloatVector rounded_at(FloatVector magnitude, unsigned least, unsigned up) {
  const FloatTag d;
  const BitsTag du;
  const BitsVector exponent = hn::Max(hn::ShiftRight<23>(hn::BitCast(du, magnitude)), hn::Set(du, least));
  const FloatVector anchor = hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(exponent, hn::Set(du, up))));
  return hn::Sub(hn::Add(magnitude, anchor), anchor);
}

/// As `to_fp8`.
HWY_INLINE BitsVector fp8_codes(FloatVector x) {
  const FloatTag d;
  const BitsTag du;
  const BitsVector sign = hn::And(hn::ShiftRight<24>(hn::BitCast(du, x)), hn::Set(du, 0x80u));
  const FloatVector magnitude = hn::Min(hn::Abs(x), hn::Set(d, kFp8Largest)), rounded = rounded_at(magnitude, 121, 20);
  const BitsVector small =
      hn::BitCast(du, hn::ConvertTo(hn::RebindToSigned<FloatTag>(), hn::Mul(rounded, hn::Set(d, 0x1p9f))));
  const BitsVector normal = hn::ShiftRight<20>(hn::Sub(hn::BitCast(du, rounded), hn::Set(du, 120u << 23)));
  const auto is_small = hn::RebindMask(du, hn::Lt(rounded, hn::Set(d, 0x1p-6f)));
  const BitsVector code = hn::IfThenElse(is_small, small, normal);
  return hn::Or(sign, hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), hn::Set(du, 0x7fu), code));
}

/// As `to_f16`.
HWY_INLINE BitsVector f16_codes(FloatVector x) {
  const FloatTag d;
  const BitsTag du;
  const BitsVector sign = hn::And(hn::ShiftRight<16>(hn::BitCast(du, x)), hn::Set(du, 0x8000u));
  const FloatVector magnitude = hn::Abs(x), rounded = rounded_at(magnitude, 113, 13);
  const BitsVector small =
      hn::BitCast(du, hn::ConvertTo(hn::RebindToSigned<FloatTag>(), hn::Mul(rounded, hn::Set(d, 0x1p24f))));
  const BitsVector normal = hn::ShiftRight<13>(hn::Sub(hn::BitCast(du, rounded), hn::Set(du, 112u << 23)));
  const auto is_small = hn::RebindMask(du, hn::Lt(rounded, hn::Set(d, 0x1p-14f)));
  BitsVector code = hn::IfThenElse(is_small, small, normal);
  const auto beyond = hn::RebindMask(du, hn::Ge(magnitude, hn::Set(d, 65520.0f)));
  code = hn::IfThenElse(beyond, hn::Set(du, 0x7c00u), code);
  return hn::Or(sign, hn::IfThenElse(hn::RebindMask(du, hn::IsNaN(x)), hn::Set(du, 0x7e00u), code));
}

HWY_INLINE void store_f16(std::span<const float> row, std::byte* out) {
  const FloatTag d;
  const hn::Rebind<std::uint16_t, FloatTag> d16;
  alignas(64) std::uint16_t buffer[kLanes];
  const int n = static_cast<int>(row.size());
  for (int i = 0; i < n; i += kLanes) {
    const int lanes = HWY_MIN(kLanes, n - i);
    hn::Store(hn::TruncateTo(d16, f16_codes(load_up_to(d, row.data() + i, lanes))), d16, buffer);
    std::memcpy(out + 2 * i, buffer, 2 * static_cast<std::size_t>(lanes));
  }
}

HWY_INLINE void store_int8(std::span<const float> row, float inverse_scale, std::byte* out) {
  const FloatTag d;
  const FloatVector factor = hn::Set(d, inverse_scale);
  const int n = static_cast<int>(row.size());
  for (int i = 0; i < n; i += kLanes) {
    const int lanes = HWY_MIN(kLanes, n - i);
    const FloatVector x = hn::Mul(load_up_to(d, row.data() + i, lanes), factor);
    store_bytes(hn::BitCast(BitsTag(), nearest_codes(x, -kInt8Largest, kInt8Largest)), lanes, out + i);
  }
}

HWY_INLINE void store_fp8(std::span<const float> row, float inverse_scale, std::byte* out) {
  const FloatTag d;
  const FloatVector factor = hn::Set(d, inverse_scale);
  const int n = static_cast<int>(row.size());
  for (int i = 0; i < n; i += kLanes) {
    const int lanes = HWY_MIN(kLanes, n - i);
    store_bytes(fp8_codes(hn::Mul(load_up_to(d, row.data() + i, lanes), factor)), lanes, out + i);
  }
}

/// A whole group: byte i holds elements i and 16 + i. Of a NaN the word is one whatever the order of comparisons.
HWY_INLINE void store_int4_group(const float* group, std::byte* out, ScaleWord& word) {
  static_assert(kInt4Group / 2 % kLanes == 0);
  const FloatTag d;
  FloatVector lowest = load(d, group), largest = lowest, poison = hn::Zero(d);
  for (int i = 0; i < kInt4Group; i += kLanes) {
    const FloatVector x = load(d, group + i);
    lowest = hn::Min(lowest, x);
    largest = hn::Max(largest, x);
    poison = hn::MulAdd(x, hn::Zero(d), poison);
  }
  const float least = hn::GetLane(hn::MinOfLanes(d, lowest)), most = max_of(d, largest);
  word = int4_word(least + sum_of(d, poison), most + 0.0f);
  const Int4Scale scale = int4_scale(word);
  const FloatVector low = hn::Set(d, scale.low), factor = hn::Set(d, inverse(scale.step));
  const auto codes = [&](const float* x) {
    return hn::BitCast(BitsTag(), nearest_codes(hn::Mul(hn::Sub(load(d, x), low), factor), 0.0f, kInt4Largest));
  };
  for (int i = 0; i < kInt4Group / 2; i += kLanes)
    store_bytes(hn::Or(codes(group + i), hn::ShiftLeft<4>(codes(group + kInt4Group / 2 + i))), kLanes, out + i);
}

void quantize_row_simd(KvFormat format, std::span<const float> row, std::byte* out, ScaleWord* scales) {
  if (format == KvFormat::kF16) return store_f16(row, out);
  if (format == KvFormat::kInt4) {
    std::size_t first = 0;
    for (; first + kInt4Group <= row.size(); first += kInt4Group, out += kInt4Group / 2)
      store_int4_group(row.data() + first, out, *scales++);
    if (first < row.size()) quantize_int4_group(row.subspan(first), out, *scales);
    return;
  }
  const float scale = scale_of_largest(format, largest_magnitude(row));
  *scales = std::bit_cast<ScaleWord>(scale);
  if (format == KvFormat::kInt8)
    store_int8(row, inverse(scale), out);
  else
    store_fp8(row, inverse(scale), out);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "kernels/cpu/convert.h"

namespace dachlast::kernels::cpu {

HWY_EXPORT(quantize_row_simd);

void quantize_row(KvFormat format, std::span<const float> row, std::byte* out, ScaleWord* scales) {
  if (format == KvFormat::kF32) {
    std::memcpy(out, row.data(), row.size_bytes());
    return;
  }
  if (format == KvFormat::kBF16) return convert(row, reinterpret_cast<BF16*>(out));
  HWY_DYNAMIC_DISPATCH(quantize_row_simd)(format, row, out, scales);
}

}  // namespace dachlast::kernels::cpu
#endif
