#include "core/workbench/plan_page.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"

namespace dachlast {
namespace {

// llama.cpp lays its graph out anew for every cell, a millisecond each: a coarser map is there at once.
constexpr int kSlowColumns = 16;
constexpr int kSlowRows = 11;

constexpr int kLeastContext = 256;
constexpr int kMostBatch = 1024;

std::string title_of_plan(const ScenarioPlan& plan) {
  const PlanScenario& s = plan.scenario.planner->scenario();
  return plan.scenario.has_device ? fmt::format("{} on {}", s.model.name, s.device.name) : s.model.name;
}

/// Values from `first` to `last`, equally many to each doubling and at most `n` in all, so that doublings themselves are among
/// them; `last` closes the list.
std::vector<int> geometric(int first, int last, int n) {
  const double octaves = std::log2(static_cast<double>(last) / first);
  const double per_octave = std::max(1.0, std::floor((n - 1) / std::max(octaves, 1.0)));
  std::vector<int> values;
  for (int i = 0; static_cast<int>(values.size()) < n - 1; ++i) {
    const auto value = static_cast<int>(std::lround(first * std::exp2(i / per_octave)));
    if (value >= last) break;
    if (values.empty() || value > values.back()) values.push_back(value);
  }
  values.push_back(last);
  return values;
}

std::vector<int> chart_contexts(const ModelSpec& model) {
  const int first = std::min(kLeastContext, std::max(model.max_context / 2, 1));
  return geometric(first, std::max(model.max_context, first + 1), kContextSamples);
}

/// The parts of a device's memory in the order of the bar.
using Part = std::pair<const char*, double DeviceMemory::*>;
constexpr Part kParts[] = {{"weights", &DeviceMemory::weights},
                           {"KV cache", &DeviceMemory::kv_cache},
                           {"activations", &DeviceMemory::activations},
                           {"workspace", &DeviceMemory::workspace},
                           {"runtime", &DeviceMemory::runtime}};

void add_alternatives(viewmodel::ContextChart& chart, const ScenarioPlan& plan) {
  const PlanScenario& base = plan.scenario.planner->scenario();
  if (base.engine.id == "llama.cpp") return;
  for (const char* name : {"bf16", "fp8", "int4"}) {
    const CacheFormat* format = cache_format(name);
    if (format == nullptr || format->title == base.cache.title) continue;
    PlanScenario other = base;
    other.cache = *format;
    try {
      const MemoryPlanner planner(std::move(other));
      viewmodel::ContextChart::Alternative line{fmt::format("KV in {}", format->title), {}};
      for (const int context : chart.contexts) line.total_bytes.push_back(planner.at(context, plan.batch_size).total());
      chart.alternatives.push_back(std::move(line));
    } catch (const Error&) {
      continue;  // a type this engine does not know draws no line
    }
  }
}

}  // namespace

viewmodel::MemoryBar memory_bar_of(const ScenarioPlan& plan) {
  const bool bounded = plan.scenario.has_device;
  const MemoryPlanner& planner = *plan.scenario.planner;
  std::vector<MemorySegment> shown;
  std::ranges::copy_if(plan.segments, std::back_inserter(shown), [](const auto& s) { return s.bytes.value > 0.0; });
  return {title_of_plan(plan), std::move(shown), bounded ? planner.budget_bytes() : 0.0,
          bounded ? planner.capacity_bytes() : 0.0};
}

viewmodel::ContextChart context_chart_of(const ScenarioPlan& plan) {
  const MemoryPlanner& planner = *plan.scenario.planner;
  viewmodel::ContextChart chart;
  chart.title = title_of_plan(plan);
  chart.contexts = chart_contexts(plan.scenario.model());
  std::vector<DeviceMemory> samples;
  for (const int context : chart.contexts) samples.push_back(planner.at(context, plan.batch_size));
  for (const auto& [name, part] : kParts) {
    std::vector<double> bytes;
    for (const DeviceMemory& sample : samples) bytes.push_back(sample.*part);
    if (std::ranges::all_of(bytes, [](double b) { return b <= 0.0; })) continue;
    chart.names.emplace_back(name);
    chart.bytes.push_back(std::move(bytes));
  }
  if (plan.scenario.has_device) {
    chart.budget_bytes = planner.budget_bytes();
    chart.capacity_bytes = planner.capacity_bytes();
    chart.fits_up_to = plan.max_context;
  }
  chart.trained_limit = plan.scenario.model().max_context;
  chart.current = plan.context_tokens;
  add_alternatives(chart, plan);
  return chart;
}

ScenarioSweep heatmap_sweep(const Scenario& scenario, int columns, int rows) {
  const int limit = scenario.model().max_context;
  if (scenario.planner->scenario().engine.id == "llama.cpp") {
    columns = std::min(columns, kSlowColumns);
    rows = std::min(rows, kSlowRows);
  }
  return sweep_scenario(scenario, geometric(std::min(kLeastContext, limit), limit, columns),
                        geometric(1, kMostBatch, rows));
}

}  // namespace dachlast
