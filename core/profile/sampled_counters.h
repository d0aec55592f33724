#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// What samples of a whole GPU are held against.
enum class SampleGroup : std::uint8_t { kPhase, kFamily, kKernel };
inline constexpr int kSampleGroupCount = 3;

constexpr std::string_view name_of(SampleGroup group) {
  constexpr std::string_view names[] = {"phase", "family", "kernel"};
  return names[static_cast<int>(group)];
}

/// DRAM traffic of one phase, family or kernel on one device, from the samples that are its own: those in which, and within
/// whose uncertainty, nothing of another phase, family or kernel ran. No sample is split: what two kernels moved in it is
/// not known apart.
/// Units    nanoseconds; overlapping events count once.
struct SampledCounters {
  SampleGroup group = SampleGroup::kPhase;
  std::string label;  // "decode"; "gemm"; a kernel's name
  std::int32_t device = 0;
  std::int64_t busy_ns = 0;     // of its events
  std::int64_t covered_ns = 0;  // of them, under its own samples
  std::int64_t n_samples = 0;   // of its own
  Bytes read;                   // in these
  Bytes written;

  double coverage() const;
  /// Bytes over covered time; empty without a sample.
  std::optional<BytesPerSecond> read_rate() const;
  std::optional<BytesPerSecond> written_rate() const;
};

/// What became of the samples of one device.
struct SampledDevice {
  std::int32_t device = 0;
  std::int64_t n_samples = 0;
  std::int64_t time_ns = 0;
  Bytes read;
  Bytes written;
  std::int64_t n_idle = 0;                                     // nothing ran
  std::array<std::int64_t, kSampleGroupCount> n_straddling{};  // by group: more than one of its kind ran
  std::int64_t n_unplaced = 0;                                 // nobody knows when
  std::int64_t uncertainty_ns = 0;                             // the largest one
};

struct SampledProfile {
  std::vector<SampledDevice> devices;
  std::vector<SampledCounters> rows;  // by group, then device, the longest busy time first
};

/// Assigns the samples of a trace by time. Both may come in any order.
SampledProfile sampled_counters(const GpuTrace& trace, const NameRules& rules);

// Samples of its own must cover so much of an operation's or phase's time before they speak for all of it: whatever the rest
// moved, the share of the roof is then at least four fifths of what it says, and at most a fifth of the roof more.
inline constexpr double kEnoughCoverage = 0.8;
// Of a single short sample a good part may be what the GPU moves while nothing runs.
inline constexpr std::int64_t kEnoughSamples = 10;

/// The share of `bandwidth` that the samples measured; empty where they are too few or their coverage is short.
std::optional<double> sampled_memory_share(const SampledCounters& counters, BytesPerSecond bandwidth);

}  // namespace dachlast
