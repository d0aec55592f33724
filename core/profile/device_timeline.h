#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/profile/gpu_trace.h"

namespace dachlast {

/// How one device spent the time from its first event to its last. Intervals that overlap count once; exposed is what
/// nothing more important hides: communication beside no kernel, copies and fills beside neither.
/// Units    nanoseconds.
struct DeviceTimeline {
  std::int32_t device = 0;
  std::int64_t n_events = 0;
  std::int64_t span_ns = 0;
  std::int64_t compute_ns = 0;        // at least one kernel
  std::int64_t communication_ns = 0;  // at least one communication kernel
  std::int64_t copy_ns = 0;           // at least one copy or fill
  std::int64_t exposed_communication_ns = 0;
  std::int64_t exposed_copy_ns = 0;

  std::int64_t busy_ns() const { return compute_ns + exposed_communication_ns + exposed_copy_ns; }
  std::int64_t idle_ns() const { return span_ns - busy_ns(); }
};

/// One timeline a device, in the order of their numbers.
std::vector<DeviceTimeline> device_timelines(std::span<const GpuEvent> events);

}  // namespace dachlast
