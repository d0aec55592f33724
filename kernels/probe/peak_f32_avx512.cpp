#if defined(__x86_64__)

#include <immintrin.h>

#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx512f")))
#define DACHLAST_PROBE peak_f32_avx512
#define DACHLAST_REGISTER "+v"

namespace dachlast::kernels {
namespace {

struct Step {
  using Accumulator = __m512;
  using Lane = float;
  __m512 factor;
  __m512 addend;
  DACHLAST_TARGET Step(float x, float y) : factor(_mm512_set1_ps(x)), addend(_mm512_set1_ps(y)) {}
  DACHLAST_TARGET static Accumulator zero() { return _mm512_setzero_ps(); }
  DACHLAST_TARGET Accumulator advance(Accumulator a) const { return _mm512_fmadd_ps(a, factor, addend); }
  DACHLAST_TARGET static void store(Lane* lanes, Accumulator a) { _mm512_store_ps(lanes, a); }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak-inl.h"

#endif  // __x86_64__
