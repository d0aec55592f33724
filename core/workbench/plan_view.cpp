#include "core/workbench/plan_view.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/memory/memory_model.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"

namespace dachlast {
namespace {

using viewmodel::Align;
using viewmodel::Column;
using viewmodel::Measure;
using viewmodel::Rounding;
using viewmodel::Table;

std::string gib(double bytes, Rounding rounding) {
  return viewmodel::format(Measure::kCapacity, bytes, rounding);
}

Column text_column(std::string key, std::string title, int drop_priority = 0) {
  return {.key = std::move(key),
          .title = std::move(title),
          .unit = {},
          .description = {},
          .align = Align::kLeft,
          .drop_priority = drop_priority};
}

Column number_column(std::string key, std::string title, std::string description) {
  return {.key = std::move(key), .title = std::move(title), .unit = {}, .description = std::move(description)};
}

Table points_table(const RunPlan& plan) {
  Table table{.id = "points", .title = "Points to measure", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {text_column("phase", "Phase"), number_column("context_tokens", "Context", "Tokens"),
                   number_column("batch", "Batch", "Sequences at once"),
                   number_column("expected_s", "Least time", "One step at the roofs; real steps take longer")};
  const bool predicted = std::ranges::any_of(plan.points, [](const auto& p) { return p.predicted.has_value(); });
  if (predicted)
    table.columns.push_back(
        number_column("predicted_s", "Predicted", "One step, by the curves that calibrate measured"));
  for (const auto& point : plan.points) {
    table.rows.push_back(
        {viewmodel::text_cell(viewmodel::phase_title(point.phase)),
         viewmodel::count_cell(point.context_tokens, Origin::kExact),
         viewmodel::count_cell(point.batch_size, Origin::kExact),
         viewmodel::number_cell(point.expected.value, viewmodel::format_time(point.expected), Origin::kEstimated)});
    if (predicted)
      table.rows.back().push_back(point.predicted ? viewmodel::number_cell(point.predicted->value,
                                                                           viewmodel::format_time(*point.predicted),
                                                                           Origin::kEstimated)
                                                  : viewmodel::missing_cell());
  }
  return table;
}

}  // namespace

std::string shortage_text(const RunPlan& plan) {
  return fmt::format("Needs {}, free are {}: {} short.", gib(plan.needed_bytes, Rounding::kUp),
                     gib(plan.available_bytes, Rounding::kDown),
                     gib(plan.needed_bytes - plan.available_bytes, Rounding::kUp));
}

PlanView plan_view(const RunPlan& plan) {
  PlanView view;
  view.answer = plan.fits()
                    ? fmt::format("FITS: needs {} of {} free memory. Measuring takes about {}.",
                                  gib(plan.needed_bytes, Rounding::kUp), gib(plan.available_bytes, Rounding::kDown),
                                  viewmodel::format_time(plan.expected))
                    : "DOES NOT FIT. " + shortage_text(plan);
  view.points = points_table(plan);
  view.memory = viewmodel::memory_table(plan.memory);
  view.warnings = plan.warnings;
  view.assumptions = plan.assumptions;
  return view;
}

Table checks_table(std::span<const HostCheck> checks) {
  Table table{.id = "checks", .title = "Checks", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {text_column("check", "Check"), text_column("state", "State"), text_column("finding", "Finding"),
                   text_column("way_out", "What to do", 1)};
  constexpr const char* kStates[] = {"good", "limited", "missing"};
  for (const auto& check : checks)
    table.rows.push_back({viewmodel::text_cell(check.name),
                          viewmodel::text_cell(kStates[static_cast<int>(check.state)]),
                          viewmodel::text_cell(check.finding),
                          check.way_out.empty() ? viewmodel::missing_cell() : viewmodel::text_cell(check.way_out)});
  return table;
}

Table presets_table(std::span<const PresetInfo> presets) {
  Table table{.id = "models", .title = "Models", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {text_column("name", "Name"), text_column("title", "Model"), text_column("weights", "Weights"),
                   text_column("source", "Source of the config", 1)};
  for (const auto& preset : presets)
    table.rows.push_back({viewmodel::text_cell(preset.name), viewmodel::text_cell(preset.title),
                          viewmodel::text_cell(preset.has_weights ? "bundled" : "random"),
                          viewmodel::text_cell(preset.source)});
  table.notes = {"A model without weights runs with seeded random ones; every output says so."};
  return table;
}

}  // namespace dachlast
