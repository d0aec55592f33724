#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/statistics.h"
#include "core/planner/row_scenario.h"
#include "core/planner/serving_time.h"

namespace dachlast {

/// What is asked of the time model. A lever is one changed field, asked again:
///   types, layout, device     scenario.weights, .cache, .layout, .device
///   speculative decoding      scenario.speculation: drafted tokens, acceptance, cost of drafting one
///   weights or cache on host  scenario.offload: shares of each, rate of the link
///   no captured graphs        scenario.launching = Launching::kEager
///   prefix sharing            load.prefix_hit_share
///   arrivals and clients      load.arrival, .n_clients, .n_requests
///   batch, chunked prefill    limits.max_num_seqs, .max_num_batched_tokens; room for the cache: limits.kv_tokens
///   disaggregation            readers, n_readers, n_writers
struct SpeedQuestion {
  TimeScenario scenario;
  ServingLoad load;
  ServingLimits limits;
  /// Where prompts are read by devices of their own: those, and how many such instances there are of both kinds.
  std::optional<TimeScenario> readers;
  double n_readers = 1.0;
  double n_writers = 1.0;
  std::vector<std::string> assumptions;

  friend bool operator==(const SpeedQuestion&, const SpeedQuestion&) = delete;
};

/// A question, or why a row is none.
struct SpeedReading {
  std::optional<SpeedQuestion> question;
  std::string reason;
};
SpeedReading read_question(const ThroughputRow& row, RowCatalog& catalog);
SpeedReading read_question(const ServingRow& row, RowCatalog& catalog);

/// What the time model answers.
struct SpeedAnswer {
  ServingTime time;
  EfficiencyOrigin origin = EfficiencyOrigin::kDevice;
};
/// The 90 % interval of a figure predicted by `ratios` of an engine: what lies further from measurements is less sure. On other
/// devices of the family the logarithms of the bounds grow by a fifth, on others by a half.
/// Source   the operator curves' own errors where one device's constants time another's shapes: docs/accuracy.md
std::optional<Interval> speed_interval(double figure, const RatioInterval& ratios, EfficiencyOrigin origin);

/// Errors   as StepTimer.
SpeedAnswer answer(const SpeedQuestion& question, const EfficiencyCatalog& curves);

}  // namespace dachlast
