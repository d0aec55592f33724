#pragma once

#include <memory>

#include "core/planner/recommend.h"

namespace dachlast {

/// A layout of one device type: what replicas are copies of.
struct Instance {
  std::size_t types = 0;
  std::size_t device = 0;
  Layout layout;
  std::unique_ptr<const MemoryPlanner> planner;
  std::unique_ptr<const StepTimer> timer;
  std::string trouble;  // why there is no planner or timer
};

/// What is known of a candidate before its load is played.
struct SpeedEstimate {
  double latency_s = 0.0;
  double tokens_s = 0.0;      // of all replicas
  double least_ttft_s = 0.0;  // of a prompt alone on the devices
  double least_tpot_s = 0.0;  // of a sequence alone
};

/// By how much an estimate may be slower than what playing the load gives; a test holds it against that.
inline constexpr double kEstimateSlack = 1.35;

/// Steady state by mean values: each client's cycle takes its answer's steps and, beside them, the prompts of the others.
///   cycle = output · decode step + sequences · what a prompt adds
/// It errs to the fast side: `kEstimateSlack` bounds by how much it may be slower than what is played.
SpeedEstimate estimate_speed(const StepTimer& timer, const ServingLimits& limits, const ServedLoad& load);

/// Requests of the fullest replica.
ServedLoad share_of_replica(const ServedLoad& load, int replicas);

/// Plays the load of the fullest replica; rates are those of all of them.
ServedSpeed replicated_speed(const Instance& instance, const ServedLoad& load, int replicas);

}  // namespace dachlast
