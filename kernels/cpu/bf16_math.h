#pragma once

#if defined(__x86_64__)

#include <hwy/base.h>
#include <immintrin.h>

#include "kernels/cpu/attention_scratch.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")

// Vector arithmetic of bfloat16 attention. Include in files whose functions need AVX512_BF16 only.
namespace dachlast::kernels::cpu {

/// Score of a key that a query must not see, and the least maximum that weights are taken against: 2^(scale · (kUnseen −
/// kLeastMaximum)) is 0, so that unseen keys weigh nothing even where a query has seen none. Real scores lie far above.
inline constexpr float kUnseen = -1e30f;
inline constexpr float kLeastMaximum = -1e20f;

HWY_INLINE __m512 dot(__m512 sum, __m512i a, __m512i b) {
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b));
}

/// 2^x, 0 far below −126.
/// Numbers  2^floor(x) · p(x − floor(x)), p the polynomial of degree 3 of least relative error over [0, 1]: 7.5e-5, a
///          twenty-fifth of what rounding the result to bfloat16 costs.
HWY_INLINE __m512 exp2_for_bf16(__m512 x) {
  constexpr int kFraction = 0x09;  // VREDUCEPS: x − floor(x), no exceptions
  const __m512 f = _mm512_reduce_ps(x, kFraction);
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.0780245215f), f, _mm512_set1_ps(0.226067156f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.695833564f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.999925196f));
  return _mm512_scalef_ps(p, x);
}

/// 2^x with a relative error of 1.0e-7: the polynomial of `exp2_of_negative` (attention_tile-inl.h).
HWY_INLINE __m512 exp2_for_float(__m512 x) {
  constexpr int kNearest = 0x08;
  const __m512 n = _mm512_roundscale_ps(x, kNearest), f = _mm512_sub_ps(x, n);
  __m512 p = _mm512_fmadd_ps(_mm512_set1_ps(0.00133908634f), f, _mm512_set1_ps(0.00967603192f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.0555035711f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.240221075f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(0.693147188f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.00000008f));
  return _mm512_scalef_ps(p, n);
}

/// cap · tanh(scale · x / cap) in units of log2 e; tanh y = (e^2y − 1) / (e^2y + 1), which is 1 in float beyond y = 10.
struct Softcap {
  float cap;
  float scale;

  HWY_INLINE __m512 operator()(__m512 x) const {
    constexpr float kFlat = 10.0f;
    __m512 y = _mm512_mul_ps(x, _mm512_set1_ps(scale / cap));
    y = _mm512_min_ps(_mm512_max_ps(y, _mm512_set1_ps(-kFlat)), _mm512_set1_ps(kFlat));
    const __m512 e = exp2_for_float(_mm512_mul_ps(y, _mm512_set1_ps(2.0f * kLog2E))), one = _mm512_set1_ps(1.0f);
    const __m512 tanh = _mm512_div_ps(_mm512_sub_ps(e, one), _mm512_add_ps(e, one));
    return _mm512_mul_ps(tanh, _mm512_set1_ps(cap * kLog2E));
  }
};

}  // namespace dachlast::kernels::cpu

HWY_POP_ATTRIBUTES

#endif  // __x86_64__
