// Stored K and V rows to floats, for kernels that compute in float.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/kv_expand.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/kv_codes.h"
#include "kernels/cpu/kv_rows.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// One scale for the row, or one per column.
struct RowScale {
  const ScaleWord* words;
  ScaleAxis axis;

  HWY_INLINE FloatVector at(int column) const {
    const FloatTag d;
    if (axis == ScaleAxis::kToken) return hn::Set(d, std::bit_cast<float>(*words));
    return hn::LoadU(d, reinterpret_cast<const float*>(words) + column);
  }
};

/// out[i] = value(i) · scale(i): whole vectors first, then element by element.
template <class Vector, class Element>
HWY_INLINE void scale_row(int width, const RowScale& scale, const Vector& vector, const Element& element, float* out) {
  const FloatTag d;
  int i = 0;
  for (; i + kLanes <= width; i += kLanes) store(d, hn::Mul(vector(i), scale.at(i)), out + i);
  for (; i < width; ++i)
    out[i] = element(i) * std::bit_cast<float>(scale.words[scale.axis == ScaleAxis::kToken ? 0 : i]);
}

HWY_INLINE void expand_int8(const std::byte* row, int width, const RowScale& scale, float* out) {
  const FloatTag d;
  const hn::RebindToSigned<FloatTag> di;
  const hn::Rebind<std::int8_t, FloatTag> d8;
  const auto* codes = reinterpret_cast<const std::int8_t*>(row);
  scale_row(
      width, scale, [&](int i) { return hn::ConvertTo(d, hn::PromoteTo(di, hn::LoadU(d8, codes + i))); },
      [&](int i) { return static_cast<float>(codes[i]); }, out);
}

/// As `fp8_to_float`; a code of NaN becomes 480 · scale, which store_kv writes only beside a NaN scale.
HWY_INLINE void expand_fp8(const std::byte* row, int width, const RowScale& scale, float* out) {
  const FloatTag d;
  const hn::RebindToUnsigned<FloatTag> du;
  const hn::RebindToSigned<FloatTag> di;
  const hn::Rebind<std::uint8_t, FloatTag> d8;
  const auto* codes = reinterpret_cast<const std::uint8_t*>(row);
  scale_row(
      width, scale,
      [&](int i) {
        const auto code = hn::BitCast(du, hn::PromoteTo(di, hn::LoadU(d8, codes + i)));
        const auto magnitude = hn::ShiftLeft<20>(hn::And(code, hn::Set(du, 0x7fu)));
        const auto sign = hn::ShiftLeft<24>(hn::And(code, hn::Set(du, 0x80u)));
        return hn::Mul(hn::BitCast(d, hn::Or(magnitude, sign)), hn::Set(d, 0x1p120f));
      },
      [&](int i) { return fp8_to_float(codes[i]); }, out);
}

HWY_INLINE void expand_f16(const std::byte* row, int width, float* out) {
  int i = 0;
#if HWY_TARGET != HWY_SCALAR
  const FloatTag d;
  const hn::Rebind<hwy::float16_t, FloatTag> d16;
  for (; i + kLanes <= width; i += kLanes)
    store(d, hn::PromoteTo(d, hn::LoadU(d16, reinterpret_cast<const hwy::float16_t*>(row) + i)), out + i);
#endif
  for (; i < width; ++i) {
    F16 half;
    std::memcpy(&half, row + static_cast<std::size_t>(i) * sizeof(F16), sizeof(F16));
    out[i] = to_float(half);
  }
}

void expand_rows_simd(const KvRows& rows, float* out, int stride) {
  for (int r = 0; r < rows.n_rows; ++r) {
    const std::byte* row = rows.rows + static_cast<std::size_t>(r) * rows.stride_bytes;
    float* target = out + static_cast<std::size_t>(r) * static_cast<std::size_t>(stride);
    const RowScale scale{rows.axis == ScaleAxis::kToken ? rows.scales + r : rows.scales, rows.axis};
    switch (rows.format) {
      case KvFormat::kF32: std::memcpy(target, row, static_cast<std::size_t>(rows.width) * sizeof(float)); break;
      case KvFormat::kBF16:
        transform(
            rows.width, [](auto x) { return x; }, target, reinterpret_cast<const BF16*>(row));
        break;
      case KvFormat::kF16: expand_f16(row, rows.width, target); break;
      case KvFormat::kInt8: expand_int8(row, rows.width, scale, target); break;
      case KvFormat::kFp8: expand_fp8(row, rows.width, scale, target); break;
      case KvFormat::kInt4:
        for (int i = 0; i < rows.width; ++i) target[i] = element_of(rows, r, i);
        break;
    }
  }
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dachlast::kernels::cpu {

HWY_EXPORT(expand_rows_simd);

void expand_rows(const KvRows& rows, float* out, int stride) {
  HWY_DYNAMIC_DISPATCH(expand_rows_simd)(rows, out, stride);
}

}  // namespace dachlast::kernels::cpu
#endif
