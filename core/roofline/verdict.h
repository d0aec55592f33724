#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/roofline/roofline.h"
#include "core/roofline/run.h"

namespace dachlast {

/// Why neither roof is near, as far as the measurement shows. Ordered: the first that applies is named.
enum class LatencyReason : std::uint8_t {
  kNone,               // the verdict is not latency-bound
  kEngineGaps,         // time between operations: inside them a roof would bind
  kMixedOperations,    // each operation near its own roof, some memory, some compute; the sum is near neither
  kLittleWorkPerCall,  // calls so short that starting them weighs
  kNotOverlapped,      // the times of both roofs added come near the time, as if compute and traffic took turns
  kCacheResident,      // data comes from a cache that could deliver it faster than the kernel asks
  kBelowRoofs          // none of these: the kernel itself is slower than its roofs
};

constexpr std::string_view name_of(LatencyReason reason) {
  constexpr std::string_view names[] = {"none",           "engine_gaps",    "mixed_operations", "little_work_per_call",
                                        "not_overlapped", "cache_resident", "below_roofs"};
  return names[static_cast<int>(reason)];
}

/// Shares of the measured time that the roofs would need. Above 1: the roof, the byte count or the dtype does not
/// match.
struct Utilisation {
  double memory = 0.0;   // u_m = bytes / (time · bandwidth roof)
  double compute = 0.0;  // u_c = FLOP / (time · compute roof)
};

/// What was measured beside what the roofs allow. Adds up over operations, points and phases, each operation against
/// its own roofs, so the sum of mixed dtypes and memory levels stays exact.
struct Load {
  Seconds time;          // measured
  Seconds busy_time;     // of it, inside operations
  Seconds memory_time;   // Σ bytes / bandwidth roof
  Seconds compute_time;  // Σ FLOP / compute roof
  Seconds least_time;    // Σ over operations of the larger of both
  double n_calls = 0;
  MemoryLevel level = MemoryLevel::kDram;  // the level with the largest memory time
  DType dtype = DType::kF32;               // the compute roof with the largest compute time
};

struct Verdict {
  Bound bound = Bound::kLatency;
  Utilisation utilisation;
  LatencyReason reason = LatencyReason::kNone;
  Load load;                     // the evidence; its level and dtype are the roofs the utilisations refer to
  double speedup_at_roof = 1.0;  // time / least time: "up to 1.4× if at the roof"
  std::string roof_remark;       // why another roof than the natural one was used; empty otherwise
  bool above_roof = false;       // a utilisation over 100 %: shown and explained, never clipped
  double threshold = 0.6;
};

/// DESIGN.md §5. Both utilisations at or above `threshold` and within 10 points: near ridge. Else the larger one, where
/// it reaches `threshold`, names the bound. Neither: latency-bound, with its reason.
/// Errors   none; empty where `load.time` is not positive, because then no share exists.
std::optional<Verdict> judge(const Load& load, double threshold);

/// The roofs an operation of this run is held against: those measured on its device with its thread count, of the
/// arithmetic the operation used and of the memory level that feeds it (`level_feeding`).
/// Errors   as `compute_ceiling` and `memory_ceiling`.
Roofline roofline_of(const Run& run, const MeasuredPoint& point, const OpMeasurement& op);

/// Verdicts from a run. Phase and run add up their points, each step counted once.
/// Errors   as `roofline_of`. Empty where nothing was measured.
std::optional<Verdict> judge_op(const Run& run, const MeasuredPoint& point, const OpMeasurement& op);
std::optional<Verdict> judge_point(const Run& run, const MeasuredPoint& point);
std::optional<Verdict> judge_phase(const Run& run, Phase phase);
std::optional<Verdict> judge_run(const Run& run);

}  // namespace dachlast
