#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/profile/gpu_trace.h"

namespace dachlast {

/// How one device spent the steps of one phase. A step's time on a device goes from the moment its annotation begins on
/// the host, or from the end of the step before on that device where that is later, to the end of the last event that it
/// launched. Whatever runs in that time counts, launched by the step or not.
/// Units    nanoseconds; overlapping events count once.
struct PhaseDevice {
  std::string label;  // "prefill", "decode", "mixed"
  std::int32_t device = 0;
  std::int64_t n_steps = 0;
  std::int64_t span_ns = 0;
  std::int64_t busy_ns = 0;
  std::int64_t copy_ns = 0;          // at least one copy or fill
  std::int64_t exposed_copy_ns = 0;  // that nothing hides
  /// Idle although the host had not yet asked for what ran next: the part of the idle time that lies before the launch
  /// of the next event began. Empty where the recording has no times of launches.
  std::optional<std::int64_t> launch_gap_ns = {};

  std::int64_t idle_ns() const { return span_ns - busy_ns; }
};

/// By phase and device; phases whose steps launched nothing are absent.
std::vector<PhaseDevice> phase_devices(const GpuTrace& trace);

/// "prefill", "decode", or "mixed" where a step says neither.
std::string phase_label(const TraceStep& step);

}  // namespace dachlast
