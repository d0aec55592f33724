// Vector loads and stores that all SIMD kernels share. Compiled once per instruction set (Highway's foreach_target.h),
// so the include guard toggles instead of closing for good.
#if defined(DACHLAST_KERNELS_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DACHLAST_KERNELS_SIMD_INL_H_
#undef DACHLAST_KERNELS_SIMD_INL_H_
#else
#define DACHLAST_KERNELS_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

#include "core/base/half.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::VFromD<FloatTag>;

/// Lanes of a vector: 1, 8 or 16 with the instruction sets we compile for, a constant that accumulator arrays need.
inline constexpr int kLanes = static_cast<int>(hn::MaxLanes(FloatTag()));

HWY_INLINE FloatVector load(FloatTag d, const float* p) {
  return hn::LoadU(d, p);
}

/// A bfloat16 is the upper half of a float.
template <class U16>
HWY_INLINE FloatVector widen_bits(FloatTag d, U16 bits) {
  const hn::RebindToUnsigned<FloatTag> d32;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(d32, bits)));
}

HWY_INLINE FloatVector load(FloatTag d, const BF16* p) {
  const hn::Rebind<std::uint16_t, FloatTag> d16;
  return widen_bits(d, hn::LoadU(d16, reinterpret_cast<const std::uint16_t*>(p)));
}

/// The first `n` < kLanes elements, zeros after them; touches nothing else.
HWY_INLINE FloatVector load_first(FloatTag d, const float* p, int n) {
  return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(n)), d, p);
}

/// Through a buffer: a masked 16-bit load may read past the mask.
HWY_INLINE FloatVector load_first(FloatTag d, const BF16* p, int n) {
  alignas(64) BF16 buffer[kLanes] = {};
  std::memcpy(buffer, p, static_cast<std::size_t>(n) * sizeof(BF16));
  return load(d, buffer);
}

/// As above for 0 < `n` <= kLanes.
template <class T>
HWY_INLINE FloatVector load_up_to(FloatTag d, const T* p, int n) {
  return n == kLanes ? load(d, p) : load_first(d, p, n);
}

/// Keeps `v` in a register: g++ folds a load into every FMA that uses it and so loads it once per use.
HWY_INLINE FloatVector in_register(FloatVector v) {
#if HWY_COMPILER_GCC_ACTUAL && HWY_TARGET == HWY_AVX3
  asm("" : "+v"(v.raw));
#elif HWY_COMPILER_GCC_ACTUAL && HWY_TARGET == HWY_AVX2
  asm("" : "+x"(v.raw));
#endif
  return v;
}

HWY_INLINE void store(FloatTag d, FloatVector v, float* p) {
  hn::StoreU(v, d, p);
}

/// Rounds to nearest even; a NaN stays a quiet NaN: `to_bf16` lane by lane.
HWY_INLINE void store(FloatTag, FloatVector v, BF16* p) {
  const hn::RebindToUnsigned<FloatTag> d32;
  const hn::RebindToSigned<FloatTag> di32;
  const hn::Rebind<std::uint16_t, FloatTag> d16;
  const auto bits = hn::BitCast(d32, v);
  const auto is_odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(d32, 1u));
  const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(is_odd, hn::Set(d32, 0x7fffu))));
  const auto quiet_nan = hn::Or(hn::ShiftRight<16>(bits), hn::Set(d32, 0x40u));
  const auto is_nan = hn::RebindMask(d32, hn::IsNaN(v));
  const auto upper_half = hn::IfThenElse(is_nan, quiet_nan, rounded);
  hn::StoreU(hn::DemoteTo(d16, hn::BitCast(di32, upper_half)), d16, reinterpret_cast<std::uint16_t*>(p));
}

/// Stores the first `n` < kLanes elements and leaves what lies behind them untouched.
HWY_INLINE void store_first(FloatTag d, FloatVector v, float* p, int n) {
  hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(n)), d, p);
}

HWY_INLINE void store_first(FloatTag d, FloatVector v, BF16* p, int n) {
  alignas(64) BF16 buffer[kLanes];
  store(d, v, buffer);
  std::memcpy(p, buffer, static_cast<std::size_t>(n) * sizeof(BF16));
}

/// As above for 0 < `n` <= kLanes.
template <class T>
HWY_INLINE void store_up_to(FloatTag d, FloatVector v, T* p, int n) {
  if (n == kLanes)
    store(d, v, p);
  else
    store_first(d, v, p, n);
}

HWY_INLINE float sum_of(FloatTag d, FloatVector v) {
  return hn::GetLane(hn::SumOfLanes(d, v));
}
HWY_INLINE float max_of(FloatTag d, FloatVector v) {
  return hn::GetLane(hn::MaxOfLanes(d, v));
}

/// out[i] = function(in[i]…) for i in [0, n), a vector at a time; `function` takes one vector of each input.
template <class Function, class Out, class... In>
HWY_INLINE void transform(int n, const Function& function, Out* out, const In*... in) {
  const FloatTag d;
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) store(d, function(load(d, in + i)...), out + i);
  if (i < n) store_first(d, function(load_first(d, in + i, n - i)...), out + i, n - i);
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling include guard
