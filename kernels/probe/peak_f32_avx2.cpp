#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx2,fma")))
#define DACHLAST_PROBE peak_f32_avx2
#define DACHLAST_REGISTER "+x"

namespace dachlast::kernels {
namespace {

struct Step {
  using Accumulator = __m256;
  using Lane = float;
  __m256 factor;
  __m256 addend;
  DACHLAST_TARGET Step(float x, float y) : factor(_mm256_set1_ps(x)), addend(_mm256_set1_ps(y)) {}
  DACHLAST_TARGET static Accumulator zero() { return _mm256_setzero_ps(); }
  DACHLAST_TARGET Accumulator advance(Accumulator a) const { return _mm256_fmadd_ps(a, factor, addend); }
  DACHLAST_TARGET static void store(Lane* lanes, Accumulator a) { _mm256_store_ps(lanes, a); }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak-inl.h"

#endif  // __x86_64__
