#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/statistics.h"
#include "core/planner/row_scenario.h"
#include "core/planner/serving_time.h"

namespace dachlast {

/// What a row of measured speeds asks, put for the time model.
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
