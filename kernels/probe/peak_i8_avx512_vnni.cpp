#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/peak_cpu.h"

namespace dachlast::kernels {

__attribute__((target("avx512f,avx512bw,avx512vnni"))) double peak_i8_avx512_vnni(std::int64_t n_rounds, float x,
                                                                                  float y) {
  const __m512i left = _mm512_set1_epi8(static_cast<char>(static_cast<std::uint8_t>(x)));  // unsigned operand
  const __m512i right = _mm512_set1_epi8(static_cast<char>(y));                            // signed operand
  __m512i acc[kPeakRegisters];
#pragma GCC unroll 12
  for (__m512i& a : acc) {
    a = _mm512_setzero_si512();
    asm volatile("" : "+v"(a));  // else equal chains would be merged into one
  }
  for (std::int64_t round = 0; round < n_rounds / kPeakUnroll; ++round) {
#pragma GCC unroll 2
    for (int half = 0; half < kPeakUnroll; ++half) {
#pragma GCC unroll 12
      for (__m512i& a : acc) a = _mm512_dpbusd_epi32(a, left, right);
    }
  }
  if (n_rounds % kPeakUnroll != 0) {
#pragma GCC unroll 12
    for (__m512i& a : acc) a = _mm512_dpbusd_epi32(a, left, right);
  }
  double total = 0.0;
  for (const __m512i& a : acc) {
    alignas(64) std::int32_t lanes[16];
    _mm512_store_si512(lanes, a);
    for (const std::int32_t lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

}  // namespace dachlast::kernels

#endif  // __x86_64__
