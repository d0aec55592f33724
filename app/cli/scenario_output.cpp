#include "app/cli/scenario_output.h"

#include <fmt/core.h>

#include "app/cli/output.h"
#include "app/documents/scenario_json.h"
#include "core/workbench/scenario_view.h"
#include "reports/csv.h"
#include "reports/markdown.h"
#include "reports/terminal.h"

namespace dachlast::cli {
namespace {

/// In the table the formulas would be the first to be dropped; asked for, they stand below it, whole.
std::string formula_lines(const ScenarioPlan& plan, const CommonOptions& common) {
  std::string text;
  for (const MemorySegment& segment : plan.segments)
    text +=
        paragraph(fmt::format("{}: {}.", words_of(common)(segment.name), words_of(common)(segment.formula)), common, 2);
  return text;
}

viewmodel::Table without_formulas(viewmodel::Table table) {
  table.columns.pop_back();
  for (auto& row : table.rows) row.pop_back();
  return table;
}

std::string speed_lines(const ScenarioView& view, const CommonOptions& common) {
  if (view.speed_sentence.empty()) return {};
  if (view.speed.rows.empty()) return "\n" + paragraph(view.speed_sentence, common, 2);
  return "\n" + reports::terminal_table(view.speed, terminal_style(common)) + paragraph(view.speed_sentence, common, 2);
}

/// What a CSV holds of a plan: the table of memory, and behind an empty line that of speed.
std::string csv_scenario(const ScenarioPlan& plan) {
  const ScenarioView view = scenario_view(plan);
  const std::string memory = reports::csv_table(view.memory);
  return view.speed.rows.empty() ? memory : memory + "\n" + reports::csv_table(view.speed);
}

std::string terminal_scenario(const ScenarioPlan& plan, const CommonOptions& common) {
  const ScenarioView view = scenario_view(plan);
  std::string text = paragraph(view.answer, common) + "\n" + paragraph(view.subject, common) + "\n";
  text += reports::terminal_table(without_formulas(view.memory), terminal_style(common));
  if (common.verbosity == Verbosity::kVerbose)
    text += formula_lines(plan, common);
  else
    text += paragraph(view.lines.back(), common, 2);
  if (plan.scenario.has_device) text += paragraph(view.lines.front(), common, 2);
  text += speed_lines(view, common);
  return text + "\n" + remark_lines("Warning", plan.scenario.warnings, common) +
         remark_lines("Assumed", plan.scenario.assumptions, common);
}

std::string markdown_scenario(const ScenarioPlan& plan, const viewmodel::Words& words) {
  const ScenarioView view = scenario_view(plan);
  std::string text =
      fmt::format("{}\n\n{}\n\n{}", reports::markdown_text(words, view.answer),
                  reports::markdown_text(words, view.subject), reports::markdown_table(view.memory, words));
  if (!view.speed.rows.empty()) text += "\n" + reports::markdown_table(view.speed, words);
  if (!view.speed_sentence.empty()) text += "\n" + reports::markdown_text(words, view.speed_sentence) + "\n";
  return text;
}

std::string one_scenario(const ScenarioPlan& plan, const CommonOptions& common) {
  switch (common.format) {
    case Format::kTable: return terminal_scenario(plan, common);
    case Format::kMarkdown: return markdown_scenario(plan, words_of(common));
    case Format::kJson: return json_scenario(plan);
    case Format::kJsonl: return jsonl_scenarios({&plan, 1});
    case Format::kCsv: return csv_scenario(plan);
  }
  return {};
}

}  // namespace

std::string render_scenarios(std::span<const ScenarioPlan> plans, const CommonOptions& common) {
  if (plans.size() == 1) return one_scenario(plans.front(), common);
  if (common.format == Format::kJson) return json_scenarios(plans);
  if (common.format == Format::kJsonl) return jsonl_scenarios(plans);
  return render_table("dachlast.plans/1", "plans", scenarios_table(plans), common);
}

std::string render_sweep(const ScenarioSweep& sweep, const SweepSpeeds& speeds, const CommonOptions& common) {
  if (common.format == Format::kJson || common.format == Format::kJsonl) return json_sweep(sweep, speeds);
  std::string table = render_table("dachlast.sweep/1", "cells", sweep_table(sweep, speeds), common);
  if (common.format != Format::kTable) return table;
  const std::string reason =
      speeds.reason.empty() ? "" : paragraph(fmt::format("Speed is not predicted: {}.", speeds.reason), common, 2);
  return paragraph(sweep_answer(sweep), common) + "\n" + table + reason +
         remark_lines("Assumed", speeds.assumptions, common);
}

}  // namespace dachlast::cli
