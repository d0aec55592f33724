#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx2,avxvnni")))
#define DACHLAST_PROBE peak_i8_avx_vnni
#define DACHLAST_REGISTER "+x"

namespace dachlast::kernels {
namespace {

struct Step {
  using Accumulator = __m256i;
  using Lane = std::int32_t;
  __m256i left;   // unsigned operand
  __m256i right;  // signed operand
  DACHLAST_TARGET Step(float x, float y)
      : left(_mm256_set1_epi8(static_cast<char>(static_cast<std::uint8_t>(x)))),
        right(_mm256_set1_epi8(static_cast<char>(y))) {}
  DACHLAST_TARGET static Accumulator zero() { return _mm256_setzero_si256(); }
  DACHLAST_TARGET Accumulator advance(Accumulator a) const { return _mm256_dpbusd_avx_epi32(a, left, right); }
  DACHLAST_TARGET static void store(Lane* lanes, Accumulator a) {
    _mm256_store_si256(reinterpret_cast<__m256i*>(lanes), a);
  }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak-inl.h"

#endif  // __x86_64__
