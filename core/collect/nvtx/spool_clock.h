#pragma once

#include <cstdint>
#include <ctime>
#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>
#endif

#include "core/collect/nvtx/spool.h"

namespace dachlast::spool {

inline std::int64_t monotonic_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

/// The time stamp counter where it runs at one rate on all cores whatever they do (CPUID leaf 0x80000007, bit 8 of EDX):
/// reading it takes half the time of clock_gettime.
inline Clock best_clock() {
#if defined(__x86_64__)
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid(0x80000007U, &a, &b, &c, &d) != 0 && (d & (1U << 8U)) != 0) return Clock::kTimeStampCounter;
#endif
  return Clock::kMonotonic;
}

inline std::uint64_t ticks_of(Clock clock) {
#if defined(__x86_64__)
  if (clock == Clock::kTimeStampCounter) return __rdtsc();
#endif
  (void)clock;
  return static_cast<std::uint64_t>(monotonic_ns());
}

}  // namespace dachlast::spool
