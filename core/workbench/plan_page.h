#pragma once

#include "core/viewmodel/memory_chart.h"
#include "core/workbench/scenario_view.h"

namespace dachlast {

/// The bar of a plan: what the fullest device holds, by segment.
viewmodel::MemoryBar memory_bar_of(const ScenarioPlan& plan);

/// Samples of a context chart: enough that the eye sees no corner, few enough to follow a dragged slider.
inline constexpr int kContextSamples = 48;

/// Memory from 256 tokens to the model's limit at the plan's batch, beside it what the other cache types would take.
/// Numbers  under llama.cpp every sample lays the graph out anew, about a millisecond each; its alternatives are left out.
viewmodel::ContextChart context_chart_of(const ScenarioPlan& plan);

/// Contexts and batches of a heatmap of at most `columns` × `rows` cells around a scenario, powers of two in equal steps.
/// Errors   as `sweep_scenario`.
ScenarioSweep heatmap_sweep(const Scenario& scenario, int columns, int rows);

}  // namespace dachlast
