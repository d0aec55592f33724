#pragma once

#include <vector>

#include "core/planner/step_work.h"
#include "core/planner/time_scenario.h"

namespace dachlast {

/// Time of one kind of operation in a step.
struct OpSeconds {
  OpKind kind = OpKind::kEmbed;
  double seconds = 0.0;
};

/// Time of all calls in a step that one curve stands for.
struct CurveSeconds {
  OpKind kind = OpKind::kEmbed;
  ChosenCurve curve;
  double calls = 0.0;
  double seconds = 0.0;
};

/// Predicts how long one pass takes on the slowest device of each pipeline stage: the sum of its operations by their efficiency
/// curves, the messages between devices, and what the engine's host code adds; never less than what crosses the link to the host.
class StepTimer {
 public:
  /// The catalog must outlive this.
  /// Errors   throws `Error`: as `step_stages` and `tokens_per_pass`; (kDevice) where the rate of an offload is not known.
  StepTimer(const TimeScenario& scenario, const EfficiencyCatalog& curves);

  /// Seconds from start to end of a pass, over all pipeline stages, the host's share and drafting included.
  double seconds(const StepLoad& load) const;
  /// Seconds of the longest stage: what a full pipeline takes a pass.
  double stage_seconds(const StepLoad& load) const;
  /// By operation, the longest first; messages under the operation that sends them.
  std::vector<OpSeconds> breakdown(const StepLoad& load) const;
  /// The same sum by kind and curve. In a step with both phases attention stands under its decode curve.
  std::vector<CurveSeconds> by_curve(const StepLoad& load) const;
  /// Tokens a decoding sequence gains by a pass: more than one with speculative decoding.
  double tokens_per_pass() const { return tokens_per_pass_; }

  /// The furthest origin of any curve in use.
  EfficiencyOrigin origin() const { return work_.origin; }
  const TimeScenario& scenario() const { return scenario_; }

 private:
  double kernel_seconds(const StepStage& stage, const StepLoad& load) const;
  double transfer_seconds(const StepStage& stage, const StepLoad& load) const;
  double seconds_of(const StepStage& stage, const StepLoad& load) const;
  double draft_seconds(const StepStage& stage, const StepLoad& load) const;
  double host_seconds(const StepLoad& load) const;

  TimeScenario scenario_;
  DeviceRates rates_;
  StepStages work_;
  double tokens_per_pass_ = 1.0;
  double link_bytes_per_s_ = 0.0;
};

}  // namespace dachlast
