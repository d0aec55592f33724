#include "core/workbench/speed_curves.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/viewmodel/format.h"

namespace dachlast {
namespace {

using viewmodel::CurveOver;

constexpr int kLeastCurveContext = 256;
constexpr int kMostCurveBatch = 1024;

/// Doublings from `first` to `last`, and one size of interest among them.
std::vector<int> doublings(int first, int last, int also) {
  std::vector<int> sizes;
  for (int size = first; size <= last; size *= 2) sizes.push_back(size);
  if (also >= 1 && also <= last) sizes.push_back(also);
  std::ranges::sort(sizes);
  const auto repeated = std::ranges::unique(sizes);
  sizes.erase(repeated.begin(), repeated.end());
  return sizes;
}

ScenarioSweep sweep_of(const ScenarioPlan& plan, CurveOver over) {
  if (over == CurveOver::kBatch)
    return sweep_scenario(plan.scenario, {plan.context_tokens}, doublings(1, kMostCurveBatch, plan.batch_size));
  const int limit = plan.scenario.model().max_context;
  return sweep_scenario(plan.scenario, doublings(std::min(kLeastCurveContext, limit), limit, plan.context_tokens),
                        {plan.batch_size});
}

std::string subject_of(const ScenarioPlan& plan, CurveOver over) {
  const PlanScenario& s = plan.scenario.planner->scenario();
  return fmt::format("{} on {} at {}", s.model.name, s.device.name,
                     over == CurveOver::kBatch ? viewmodel::counted(plan.context_tokens, "token", "tokens")
                                               : fmt::format("batch {}", viewmodel::format_count(plan.batch_size)));
}

}  // namespace

viewmodel::SpeedCurves speed_curves_of(const ScenarioPlan& plan, CurveOver over) {
  viewmodel::SpeedCurves curves;
  curves.over = over;
  curves.title = over == CurveOver::kBatch ? "Speed over batch size" : "Speed over context length";
  curves.current = over == CurveOver::kBatch ? plan.batch_size : plan.context_tokens;
  if (plan.scenario.has_device) curves.subject = subject_of(plan, over);
  const ScenarioSweep sweep = sweep_of(plan, over);
  const SweepSpeeds speeds = sweep_speeds(sweep, {});
  if (!speeds.reason.empty()) curves.reason = fmt::format("Speed is not predicted: {}.", speeds.reason);
  const std::vector<int>& sizes = over == CurveOver::kBatch ? sweep.batches : sweep.contexts;
  for (std::size_t i = 0; i < speeds.cells.size(); ++i) {
    const std::optional<ServedSpeed>& speed = speeds.cells[i];
    if (!speed) continue;
    curves.predicted.push_back({.size = sizes[i],
                                .ttft_s = speed->ttft_s.value,
                                .tpot_s = speed->tpot_s ? speed->tpot_s->value : 0.0,
                                .output_tokens_s = speed->output_tokens_s.value});
  }
  if (curves.reason.empty() && curves.predicted.size() < 2) curves.reason = "Fewer than two sizes fit.";
  return curves;
}

}  // namespace dachlast
