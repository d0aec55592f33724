#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>

#include "kernels/probe/bandwidth_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx2,fma")))
#define DACHLAST_PROBE(name) name##_avx2

namespace dachlast::kernels {
namespace {

struct Vector {
  using Register = __m256;
  static constexpr std::size_t kLanes = 8;
  DACHLAST_TARGET static Register set(float value) { return _mm256_set1_ps(value); }
  DACHLAST_TARGET static Register load(const float* from) { return _mm256_load_ps(from); }
  DACHLAST_TARGET static void store(float* to, Register value) { _mm256_store_ps(to, value); }
  DACHLAST_TARGET static void stream(float* to, Register value) { _mm256_stream_ps(to, value); }
  DACHLAST_TARGET static Register add(Register a, Register b) { return _mm256_add_ps(a, b); }
  DACHLAST_TARGET static Register multiply_add(Register a, Register b, Register c) { return _mm256_fmadd_ps(a, b, c); }
};

}  // namespace
}  // namespace dachlast::kernels

#include "kernels/probe/bandwidth-inl.h"

#endif  // __x86_64__
