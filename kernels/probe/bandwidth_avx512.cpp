#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>

#include "kernels/probe/bandwidth_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx512f")))
#define DACHLAST_PROBE(name) name##_avx512

namespace dachlast::kernels {
namespace {

struct Vector {
  using Register = __m512;
  static constexpr std::size_t kLanes = 16;
  DACHLAST_TARGET static Register set(float value) { return _mm512_set1_ps(value); }
  DACHLAST_TARGET static Register load(const float* from) { return _mm512_load_ps(from); }
  DACHLAST_TARGET static void store(float* to, Register value) { _mm512_store_ps(to, value); }
  DACHLAST_TARGET static void stream(float* to, Register value) { _mm512_stream_ps(to, value); }
  DACHLAST_TARGET static Register add(Register a, Register b) { return _mm512_add_ps(a, b); }
  DACHLAST_TARGET static Register multiply_add(Register a, Register b, Register c) { return _mm512_fmadd_ps(a, b, c); }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/bandwidth-inl.h"

#endif  // __x86_64__
