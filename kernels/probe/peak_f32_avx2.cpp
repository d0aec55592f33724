#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {

__attribute__((target("avx2,fma"))) double peak_f32_avx2(std::int64_t n_rounds, float x, float y) {
  const __m256 factor = _mm256_set1_ps(x);
  const __m256 addend = _mm256_set1_ps(y);
  __m256 acc[kPeakRegisters];
#pragma GCC unroll 12
  for (__m256& a : acc) {
    a = _mm256_setzero_ps();
    asm volatile("" : "+x"(a));  // else equal chains would be merged into one
  }
  for (std::int64_t round = 0; round < n_rounds / kPeakUnroll; ++round) {
#pragma GCC unroll 2
    for (int half = 0; half < kPeakUnroll; ++half) {
#pragma GCC unroll 12
      for (__m256& a : acc) a = _mm256_fmadd_ps(a, factor, addend);
    }
  }
  if (n_rounds % kPeakUnroll != 0) {
#pragma GCC unroll 12
    for (__m256& a : acc) a = _mm256_fmadd_ps(a, factor, addend);
  }
  double total = 0.0;
  for (const __m256& a : acc) {
    alignas(64) float lanes[8];
    _mm256_store_ps(lanes, a);
    for (const float lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

}  // namespace dachlast::kernels

#endif  // __x86_64__
