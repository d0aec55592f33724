// Functions of a vector that activations and softmax need. Include guard: see simd-inl.h.
#if defined(DACHLAST_KERNELS_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DACHLAST_KERNELS_MATH_INL_H_
#undef DACHLAST_KERNELS_MATH_INL_H_
#else
#define DACHLAST_KERNELS_MATH_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace dachlast::kernels::cpu::HWY_NAMESPACE {

/// 1 / (1 + exp(−x)). The exponential is taken of −|x|: it cannot overflow and small results keep their digits.
HWY_INLINE FloatVector sigmoid(FloatVector x) {
  const FloatTag d;
  const FloatVector one = hn::Set(d, 1.0f);
  const FloatVector e = hn::Exp(d, hn::Neg(hn::Abs(x)));
  return hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
}

/// cap · tanh(x / cap).
HWY_INLINE FloatVector softcapped(FloatVector x, float cap) {
  const FloatTag d;
  return hn::Mul(hn::Set(d, cap), hn::Tanh(d, hn::Div(x, hn::Set(d, cap))));
}

/// Φ(−x) = erfc(x / √2) / 2 for x >= 0: exp(−x² / 2) · t · p(t), t = 1 / (1 + 0.38 · x / √2).
/// Numbers  p is the Chebyshev interpolant of degree 8 of exp(z²) · erfc(z) / (2 · t) over z = x / √2 in [0, 12],
/// beyond
///          which the result is below the smallest float; its relative error is 3.1e-8.
HWY_INLINE FloatVector normal_tail(FloatVector x) {
  constexpr float kCoefficients[] = {0.107208392f,   0.106907371f, 0.102343682f,  0.0677420851f, 0.118836739f,
                                     -0.0863867373f, 0.186954402f, -0.133598449f, 0.0299925275f};
  const FloatTag d;
  const FloatVector one = hn::Set(d, 1.0f);
  const FloatVector t = hn::Div(one, hn::MulAdd(x, hn::Set(d, 0.38f * 0.70710678f), one));
  FloatVector p = hn::Set(d, kCoefficients[8]);
  HWY_UNROLL(8)
  for (int i = 7; i >= 0; --i) p = hn::MulAdd(p, t, hn::Set(d, kCoefficients[i]));
  return hn::Mul(hn::Mul(p, t), hn::Exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f))));
}

}  // namespace dachlast::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // toggling include guard
