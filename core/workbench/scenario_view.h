#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/viewmodel/table.h"
#include "core/workbench/scenario.h"
#include "core/workbench/scenario_speed.h"

namespace dachlast {

/// A scenario as people read it.
struct ScenarioView {
  std::string answer;   // "FITS with 22.22 GiB spare. At batch 8 the limit is 55,520 tokens; …"
  std::string subject;  // "llama-3.1-8b on H100 SXM5 80GB, BF16 weights, BF16 KV cache"
  viewmodel::Table memory;
  viewmodel::Table speed;          // no rows where nothing is predicted
  std::string speed_sentence;      // empty where nobody asked
  std::vector<std::string> lines;  // budget, KV per token
};

ScenarioView scenario_view(const ScenarioPlan& plan);

/// Several scenarios, one a row: what people hold side by side.
viewmodel::Table scenarios_table(std::span<const ScenarioPlan> plans);

/// A sweep, one cell a row: context, batch, memory, share of the budget; speeds where they are given.
viewmodel::Table sweep_table(const ScenarioSweep& sweep, const SweepSpeeds& speeds = {});

/// A sweep as a heatmap: share of the budget a cell, the frontier of what fits as a bold line, cells beyond it hatched with the
/// missing amount.
figure::Figure sweep_figure(const ScenarioSweep& sweep);
/// The same, to fill a given size.
figure::Figure sweep_figure(const ScenarioSweep& sweep, figure::Size size);

/// What the cells of a heatmap tell beside whether they fit.
enum class HeatmapValue : std::uint8_t { kMemory, kTpot, kThroughput };
/// The same map with predicted speeds in its cells; those that do not fit show what is missing, as ever.
figure::Figure sweep_figure(const ScenarioSweep& sweep, const SweepSpeeds& speeds, HeatmapValue value,
                            figure::Size size);

/// "FITS up to batch 64 at 8,192 tokens …": what a sweep says.
std::string sweep_answer(const ScenarioSweep& sweep);

}  // namespace dachlast
