#pragma once

#include <optional>
#include <string>

#include "core/base/statistics.h"
#include "core/planner/memory_planner.h"
#include "core/planner/serving_time.h"

namespace dachlast {

/// Requests that a deployment serves at once: so many clients, each sends its next request when the last one is answered.
struct ServedLoad {
  int prompt_tokens = 1;
  int output_tokens = 1;
  int n_sequences = 1;

  int context_tokens() const { return prompt_tokens + output_tokens; }
};

/// A predicted figure, and in which interval nine of ten published figures of this engine lie around such a prediction.
struct SpeedFigure {
  double value = 0.0;
  std::optional<Interval> interval;
};

/// Share of published figures that the interval of a speed holds.
inline constexpr double kSpeedConfidence = 0.9;

struct ServedSpeed {
  SpeedFigure ttft_s;
  std::optional<SpeedFigure> tpot_s;  // absent for answers of one token
  SpeedFigure output_tokens_s;        // of all requests together
  double mean_batch = 0.0;            // sequences that decode together
  EfficiencyOrigin origin = EfficiencyOrigin::kDevice;
};

/// A prediction, or why there is none.
struct SpeedOrReason {
  std::optional<ServedSpeed> speed;
  std::string reason;
};

/// Why nothing is known of the time of this engine on this device; empty where something is.
std::string no_speed_reason(const EngineProfile& engine, const DeviceSpec& device);

/// What the time model needs of a plan.
TimeScenario time_scenario_of(const PlanScenario& plan);

/// The load as the time model plays it.
ServingLoad serving_load(const ServedLoad& load);
/// Limits of the engine. What fits has room for every sequence, so the cache holds none back.
ServingLimits serving_limits(const MemoryPlanner& planner);

/// What was played, with intervals. Where an engine's published figures are rates alone, its times lie between the reciprocals.
ServedSpeed with_intervals(const ServingTime& time, const SpeedFacts& facts, EfficiencyOrigin origin);

/// Predicts the speed of a plan that fits.
SpeedOrReason served_speed(const MemoryPlanner& planner, const ServedLoad& load, const EfficiencyCatalog& curves);

}  // namespace dachlast
