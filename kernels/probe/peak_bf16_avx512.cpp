#if defined(__x86_64__)

#include <immintrin.h>

#include "core/base/half.h"
#include "kernels/probe/peak_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx512f,avx512bw,avx512bf16")))
#define DACHLAST_PROBE peak_bf16_avx512
#define DACHLAST_REGISTER "+v"

namespace dachlast::kernels {
namespace {

struct Step {
  using Accumulator = __m512;
  using Lane = float;
  __m512bh left;
  __m512bh right;
  DACHLAST_TARGET Step(float x, float y) : left(pairs(x)), right(pairs(y)) {}
  DACHLAST_TARGET static __m512bh pairs(float x) {
    return reinterpret_cast<__m512bh>(_mm512_set1_epi16(static_cast<short>(to_bf16(x).bits)));
  }
  DACHLAST_TARGET static Accumulator zero() { return _mm512_setzero_ps(); }
  DACHLAST_TARGET Accumulator advance(Accumulator a) const { return _mm512_dpbf16_ps(a, left, right); }
  DACHLAST_TARGET static void store(Lane* lanes, Accumulator a) { _mm512_store_ps(lanes, a); }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/peak-inl.h"

#endif  // __x86_64__
