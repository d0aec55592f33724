#pragma once

#include <cassert>
#include <cstdint>

#include "kernels/probe/bandwidth.h"

// Builds of the bandwidth probes, listed by bandwidth.cpp.
namespace dachlast::kernels {

BandwidthProbe read_reference, write_reference, copy_reference, triad_reference;
#if defined(__x86_64__)
BandwidthProbe read_avx2, write_avx2, copy_avx2, triad_avx2;
BandwidthProbe write_stream_avx2, copy_stream_avx2, triad_stream_avx2;
BandwidthProbe read_avx512, write_avx512, copy_avx512, triad_avx512;
BandwidthProbe write_stream_avx512, copy_stream_avx512, triad_stream_avx512;
#endif

/// Makes the compiler believe that memory changes here, so that it neither merges nor drops passes. No instruction.
inline void separate_passes() {
  asm volatile("" ::: "memory");
}

inline void assert_probe_arrays([[maybe_unused]] const ProbeArrays& arrays, [[maybe_unused]] ProbePattern pattern) {
  const auto fits = [&](std::span<const float> array) {
    return array.size() == arrays.a.size() && reinterpret_cast<std::uintptr_t>(array.data()) % kProbeAlignment == 0;
  };
  assert(arrays.a.size() % kProbeGranule == 0);
  assert(fits(arrays.a));
  assert(probe_arrays(pattern) < 2 || fits(arrays.b));
  assert(probe_arrays(pattern) < 3 || fits(arrays.c));
  (void)fits;
}

}  // namespace dachlast::kernels
