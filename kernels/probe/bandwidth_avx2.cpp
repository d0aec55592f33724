#if defined(__x86_64__)

#include <immintrin.h>

#include <cstddef>

#include "kernels/probe/bandwidth_cpu.h"

#define DACHLAST_TARGET __attribute__((target("avx2,fma")))

namespace dachlast::kernels {
namespace {

constexpr std::size_t kLanes = 8;
// Vectors per loop round, each with its own sum: two additions a cycle with a latency of up to 4 cycles need 8.
constexpr std::size_t kUnroll = 8;
constexpr std::size_t kStep = kLanes * kUnroll;
static_assert(kProbeGranule % kStep == 0);

template <StoreKind kStores>
DACHLAST_TARGET inline void store(float* to, __m256 value) {
  if constexpr (kStores == StoreKind::kNonTemporal)
    _mm256_stream_ps(to, value);
  else
    _mm256_store_ps(to, value);
}

/// Non-temporal stores may still be under way when the loop ends.
template <StoreKind kStores>
inline void finish_stores() {
  if constexpr (kStores == StoreKind::kNonTemporal) _mm_sfence();
}

template <StoreKind kStores>
DACHLAST_TARGET float write(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kWrite);
  float* a = arrays.a.data();
  const std::size_t n = arrays.a.size();
  const __m256 value = _mm256_set1_ps(s);
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j) store<kStores>(a + i + j * kLanes, value);
    }
  }
  finish_stores<kStores>();
  return 0.0f;
}

template <StoreKind kStores>
DACHLAST_TARGET float copy(const ProbeArrays& arrays, float, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kCopy);
  float* a = arrays.a.data();
  const float* b = arrays.b.data();
  const std::size_t n = arrays.a.size();
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j) store<kStores>(a + i + j * kLanes, _mm256_load_ps(b + i + j * kLanes));
    }
  }
  finish_stores<kStores>();
  return 0.0f;
}

template <StoreKind kStores>
DACHLAST_TARGET float triad(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kTriad);
  float* a = arrays.a.data();
  const float* b = arrays.b.data();
  const float* c = arrays.c.data();
  const std::size_t n = arrays.a.size();
  const __m256 factor = _mm256_set1_ps(s);
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j) {
        const std::size_t at = i + j * kLanes;
        store<kStores>(a + at, _mm256_fmadd_ps(factor, _mm256_load_ps(c + at), _mm256_load_ps(b + at)));
      }
    }
  }
  finish_stores<kStores>();
  return 0.0f;
}

}  // namespace

DACHLAST_TARGET float read_avx2(const ProbeArrays& arrays, float, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kRead);
  const float* a = arrays.a.data();
  const std::size_t n = arrays.a.size();
  __m256 sums[kUnroll];
#pragma GCC unroll 8
  for (std::size_t j = 0; j < kUnroll; ++j) sums[j] = _mm256_setzero_ps();
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < n; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kUnroll; ++j) sums[j] = _mm256_add_ps(sums[j], _mm256_load_ps(a + i + j * kLanes));
    }
  }
  float total = 0.0f;
  for (const __m256& sum : sums) {
    alignas(kProbeAlignment) float lanes[kLanes];
    _mm256_store_ps(lanes, sum);
    for (const float lane : lanes) total += lane;
  }
  return total;
}

DACHLAST_TARGET float write_avx2(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return write<StoreKind::kCached>(arrays, s, n_passes);
}
DACHLAST_TARGET float copy_avx2(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return copy<StoreKind::kCached>(arrays, s, n_passes);
}
DACHLAST_TARGET float triad_avx2(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return triad<StoreKind::kCached>(arrays, s, n_passes);
}
DACHLAST_TARGET float write_stream_avx2(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return write<StoreKind::kNonTemporal>(arrays, s, n_passes);
}
DACHLAST_TARGET float copy_stream_avx2(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return copy<StoreKind::kNonTemporal>(arrays, s, n_passes);
}
DACHLAST_TARGET float triad_stream_avx2(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  return triad<StoreKind::kNonTemporal>(arrays, s, n_passes);
}

}  // namespace dachlast::kernels

#endif  // __x86_64__
