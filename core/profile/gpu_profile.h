#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/profile/device_timeline.h"
#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"
#include "core/profile/sampled_counters.h"
#include "core/profile/traced_op.h"
#include "core/roofline/verdict.h"

namespace dachlast {

/// Durations of a group of events. Units: nanoseconds; sums count overlapping events twice.
struct EventTimes {
  std::int64_t n = 0;
  std::int64_t total_ns = 0;
  std::int64_t min_ns = 0;
  std::int64_t max_ns = 0;

  void add(std::int64_t duration_ns);
};

struct FamilyTimes {
  KernelFamily family = KernelFamily::kOther;
  EventTimes times;
};

struct KernelTimes {
  std::string name;
  KernelFamily family = KernelFamily::kOther;
  EventTimes times;
};

/// All calls of one operator with one shape. A call's time is the sum of what it launched.
struct TracedOpTimes {
  std::string name;
  TracedOp op;
  EventTimes calls;
};

/// GPU time of the steps of one phase.
struct PhaseTimes {
  std::string label;  // "prefill", "decode", "mixed"
  std::int64_t n_steps = 0;
  std::int64_t gpu_ns = 0;       // sum of what the steps launched
  std::int64_t n_sequences = 0;  // sums over steps that say so
  std::int64_t q_tokens = 0;
  std::int64_t kv_tokens = 0;
  std::vector<FamilyTimes> families;
};

/// One kernel under a counter profiler, which replays it alone: counters are measured, times are not those of the program.
struct CounterKernel {
  std::string name = {};
  KernelFamily family = KernelFamily::kOther;
  std::optional<Seconds> time = {};
  std::optional<Bytes> read_bytes = {};  // of DRAM
  std::optional<Bytes> written_bytes = {};
  std::optional<Flops> flops = {};           // of tensor units and FP32 instructions, where both were counted
  std::optional<double> memory_share = {};   // of the peak sustained DRAM throughput
  std::optional<double> compute_share = {};  // of the peak sustained throughput of the busiest unit of the SMs
};

/// What a recording says about where GPU time went. Groups are in order of their time, the longest first.
struct GpuProfile {
  std::string format;
  std::vector<TraceDevice> devices;
  std::vector<DeviceTimeline> timelines;           // of all events
  std::vector<DeviceTimeline> launched_timelines;  // of events whose launch was recorded; empty where that is all
  std::vector<FamilyTimes> families;
  std::vector<KernelTimes> kernels;
  std::vector<TracedOpTimes> ops;
  std::vector<PhaseTimes> phases;
  std::vector<CounterKernel> counters;  // in the order of the recording
  SampledProfile sampled = {};
  std::vector<Remark> remarks;
};

/// For every host operator: itself or the nearest one around it that has operands, or kNoIndex.
std::vector<std::int32_t> counted_ops(const GpuTrace& trace);

GpuProfile summarize(const GpuTrace& trace, const NameRules& rules);

/// The verdict on an operator against the listed roofs of a device; estimated, because its work is counted from shapes.
/// Errors   none; empty where the device lists no bandwidth or no peak for the arithmetic.
std::optional<Verdict> judge_traced_op(const TracedOpTimes& op, const DeviceSpec& device, double threshold);

/// The verdict on a kernel by its measured shares; empty where time or either share was not measured.
std::optional<Verdict> judge_counters(const CounterKernel& kernel, double threshold);

}  // namespace dachlast
