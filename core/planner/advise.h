#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/planner/lever.h"

namespace dachlast {

/// What a workload waits for most.
struct Bottleneck {
  Phase phase = Phase::kDecode;  // that takes most of the time
  double phase_share = 0.0;      // of the whole
  Resource resource = Resource::kHost;
  double share = 0.0;  // of the phase's time
};

/// "weight-bound", "compute-bound", …: what a phase is that waits for this most.
std::string_view bound_word(Resource resource);

/// Empty where nothing takes time.
std::optional<Bottleneck> bottleneck_of(const WorkloadTime& time);

/// Share of the whole time that waits for `resource`.
double share_of(const WorkloadTime& time, Resource resource);

/// Every lever asked about one configuration.
struct AdviceReport {
  Configuration configuration;
  std::string model_name;
  std::string device_name;
  std::string engine_name;
  double needed_bytes = 0.0;
  double budget_bytes = 0.0;
  bool fits = true;
  std::optional<WorkloadTime> time;
  std::string no_time;  // why there is none
  std::optional<Bottleneck> bottleneck;
  std::vector<Advice> advice;  // the most worthwhile first, then what is wasted, and all that does not apply
};

/// Asks every lever. Gains are of requests a second of this workload; those that change next to nothing say what binds
/// instead.
/// Errors   as Replanner::plan for the configuration itself.
AdviceReport advise(const Replanner& replanner, const Configuration& configuration);

}  // namespace dachlast
