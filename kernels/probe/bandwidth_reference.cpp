#include <cstddef>

#include "kernels/probe/bandwidth_cpu.h"

#if defined(__GNUC__) && !defined(__clang__)
// Loops stay loops instead of calls of memset and memcpy, which choose stores of their own.
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

namespace dachlast::kernels {

float read_reference(const ProbeArrays& arrays, float, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kRead);
  // Independent sums, so that the compiler may use vectors without reordering a float sum.
  constexpr std::size_t kSums = 32;
  float sums[kSums] = {};
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < arrays.a.size(); i += kSums)
      for (std::size_t j = 0; j < kSums; ++j) sums[j] += arrays.a[i + j];
  }
  float total = 0.0f;
  for (const float sum : sums) total += sum;
  return total;
}

float write_reference(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kWrite);
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (float& x : arrays.a) x = s;
  }
  return 0.0f;
}

float copy_reference(const ProbeArrays& arrays, float, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kCopy);
  float* __restrict a = arrays.a.data();
  const float* __restrict b = arrays.b.data();
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < arrays.a.size(); ++i) a[i] = b[i];
  }
  return 0.0f;
}

float triad_reference(const ProbeArrays& arrays, float s, std::int64_t n_passes) {
  assert_probe_arrays(arrays, ProbePattern::kTriad);
  float* __restrict a = arrays.a.data();
  const float* __restrict b = arrays.b.data();
  const float* __restrict c = arrays.c.data();
  for (std::int64_t pass = 0; pass < n_passes; ++pass) {
    separate_passes();
    for (std::size_t i = 0; i < arrays.a.size(); ++i) a[i] = b[i] + s * c[i];
  }
  return 0.0f;
}

}  // namespace dachlast::kernels
