#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx512f,avx512bw,avx512vnni")))
#define DACHLAST_PROBE peak_i8_avx512_vnni
#define DACHLAST_REGISTER "+v"

namespace dachlast::kernels {
namespace {

struct Step {
  using Accumulator = __m512i;
  using Lane = std::int32_t;
  __m512i left;   // unsigned operand
  __m512i right;  // signed operand
  DACHLAST_TARGET Step(float x, float y)
      : left(_mm512_set1_epi8(static_cast<char>(static_cast<std::uint8_t>(x)))),
        right(_mm512_set1_epi8(static_cast<char>(y))) {}
  DACHLAST_TARGET static Accumulator zero() { return _mm512_setzero_si512(); }
  DACHLAST_TARGET Accumulator advance(Accumulator a) const { return _mm512_dpbusd_epi32(a, left, right); }
  DACHLAST_TARGET static void store(Lane* lanes, Accumulator a) {
    _mm512_store_si512(reinterpret_cast<__m512i*>(lanes), a);
  }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak-inl.h"

#endif  // __x86_64__
