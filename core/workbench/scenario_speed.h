#pragma once

#include <optional>
#include <vector>

#include "core/planner/served_speed.h"
#include "core/viewmodel/table.h"
#include "core/workbench/scenario.h"

namespace dachlast {

/// How much of a context is prompt and how much answer; what is absent follows from the other and the context.
struct ContextSplit {
  std::optional<int> prompt_tokens;
  std::optional<int> output_tokens;
};

/// Answers take an eighth of a context where nobody says more, at most this many tokens.
inline constexpr int kDefaultOutputTokens = 512;

/// `n_sequences` requests at once that fill a context of `context_tokens`, split as asked.
/// Errors   throws `Error` (kUsage) where a part is not positive, or both together are longer than the context.
ServedLoad split_context(int context_tokens, const ContextSplit& split, int n_sequences);

/// The efficiency curves that come with the program, read once.
/// Errors   as EfficiencyCatalog; throws `Error` (kInput) where the data folder is not found.
const EfficiencyCatalog& efficiency_curves();

/// Speed of a plan, where it fits and enough is known; else why there is none. A plan is given it because people ask, not always:
/// playing a load through takes up to some milliseconds. What was measured of the same deployment at one load corrects it.
/// Errors   as split_context and held_to.
void predict_speed(ScenarioPlan& plan, const ContextSplit& split, const std::optional<MeasuredSpeed>& measured = {});

/// Speeds of a sweep's cells in their order; empty where a cell does not fit. `reason`: why no cell has one.
struct SweepSpeeds {
  std::vector<std::optional<ServedSpeed>> cells;
  std::string reason;
  std::vector<Remark> assumptions;
};
/// Larger sweeps take longer than people wait.
inline constexpr std::size_t kMostTimedCells = 2'000;
SweepSpeeds sweep_speeds(const ScenarioSweep& sweep, const ContextSplit& split,
                         const std::optional<MeasuredSpeed>& measured = {});

/// TTFT, TPOT and tokens/s of a plan, one a row; no rows where nothing is predicted.
viewmodel::Table speed_table(const ScenarioSpeed& speed);

/// Where the figures come from, or why there are none, as a sentence.
std::string speed_sentence(const ScenarioSpeed& speed);

}  // namespace dachlast
