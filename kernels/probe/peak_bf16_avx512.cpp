#if defined(__x86_64__)

#include <immintrin.h>

#include "core/base/half.h"
#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {

__attribute__((target("avx512f,avx512bw,avx512bf16"))) double peak_bf16_avx512(std::int64_t n_rounds, float x,
                                                                               float y) {
  const auto left = reinterpret_cast<__m512bh>(_mm512_set1_epi16(static_cast<short>(to_bf16(x).bits)));
  const auto right = reinterpret_cast<__m512bh>(_mm512_set1_epi16(static_cast<short>(to_bf16(y).bits)));
  __m512 acc[kPeakRegisters];
#pragma GCC unroll 12
  for (__m512& a : acc) {
    a = _mm512_setzero_ps();
    asm volatile("" : "+v"(a));  // else equal chains would be merged into one
  }
  for (std::int64_t round = 0; round < n_rounds / kPeakUnroll; ++round) {
#pragma GCC unroll 2
    for (int half = 0; half < kPeakUnroll; ++half) {
#pragma GCC unroll 12
      for (__m512& a : acc) a = _mm512_dpbf16_ps(a, left, right);
    }
  }
  if (n_rounds % kPeakUnroll != 0) {
#pragma GCC unroll 12
    for (__m512& a : acc) a = _mm512_dpbf16_ps(a, left, right);
  }
  double total = 0.0;
  for (const __m512& a : acc) {
    alignas(64) float lanes[16];
    _mm512_store_ps(lanes, a);
    for (const float lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

}  // namespace dachlast::kernels

#endif  // __x86_64__
