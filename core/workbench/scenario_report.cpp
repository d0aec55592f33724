#include "core/workbench/scenario_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "core/planner/residuals.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/memory_chart.h"
#include "core/viewmodel/privacy.h"
#include "core/viewmodel/table_builder.h"
#include "core/workbench/plan_page.h"
#include "core/workbench/scenario_view.h"

#ifndef DACHLAST_VERSION
#error "DACHLAST_VERSION comes from the build"
#endif

namespace dachlast {
namespace {

using viewmodel::KeyFigure;
using viewmodel::Measure;
using viewmodel::ReportStatus;
using viewmodel::ReportView;
using viewmodel::Rounding;
using viewmodel::TableBuilder;

constexpr figure::Size kBarWide{viewmodel::kThirdFigure, 400.0};
constexpr figure::Size kBarNarrow{viewmodel::kNarrowFigure, 300.0};
constexpr figure::Size kContextWide{viewmodel::kTwoThirdsFigure, 400.0};
constexpr figure::Size kContextNarrow{viewmodel::kNarrowFigure, 360.0};
constexpr figure::Size kGridWide{viewmodel::kWideFigure, 420.0};
constexpr figure::Size kGridNarrow{viewmodel::kNarrowFigure, 360.0};

// Cells wide enough for a number at the width of a sheet, and legible on a telephone.
constexpr int kGridColumns = 12;
constexpr int kGridRows = 11;

// Less spare than this share of the budget is worth a warning (UX.md §1C).
constexpr double kTightShare = 0.10;

// Estimated parts that tip the verdict in fewer than one case in 200, and in fewer than one in ten.
constexpr double kHighConfidence = 0.995;
constexpr double kMediumConfidence = 0.9;

const PlanScenario& settled_scenario(const ScenarioPlan& plan) {
  return plan.scenario.planner->scenario();
}

double budget_of(const ScenarioPlan& plan) {
  return plan.scenario.planner->budget_bytes();
}

std::string capacity_text(double bytes, Rounding rounding) {
  return viewmodel::format(Measure::kCapacity, bytes, rounding);
}

std::string token_text(int count) {
  return viewmodel::counted(count, "token", "tokens");
}

std::string device_of(const ScenarioPlan& plan) {
  const PlanScenario& s = settled_scenario(plan);
  return s.layout.n_devices() == 1 ? s.device.name : fmt::format("{} × {}", s.layout.n_devices(), s.device.name);
}

std::string confidence_sentence(const ScenarioPlan& plan) {
  const double sure = plan.fits ? plan.fit_probability : 1.0 - plan.fit_probability;
  if (sure >= kHighConfidence) return "Confidence: high (the estimated parts cannot tip it).";
  return fmt::format("Confidence: {} (the estimated parts leave {} for this verdict).",
                     sure >= kMediumConfidence ? "medium" : "low", viewmodel::format_percent(sure));
}

std::string types_of(const PlanScenario& s) {
  return fmt::format("{} weights, {} KV cache", weights_title(s), s.cache.title);
}

std::string serves_sentence(const ScenarioPlan& plan) {
  const PlanScenario& s = settled_scenario(plan);
  const double spare = budget_of(plan) - plan.memory.total();
  return fmt::format("{} ({}) serves {} of {} on {} with {} spare{}.", s.model.name, types_of(s),
                     viewmodel::counted(plan.batch_size, "request", "requests"), token_text(plan.context_tokens),
                     device_of(plan), capacity_text(spare, Rounding::kDown),
                     s.layout.n_devices() > 1 ? " per GPU" : "");
}

std::string shortage_sentence(const ScenarioPlan& plan) {
  const PlanScenario& s = settled_scenario(plan);
  return fmt::format("{} ({}) does not fit with {} of {} on {}: {} short per GPU.", s.model.name, types_of(s),
                     viewmodel::counted(plan.batch_size, "request", "requests"), token_text(plan.context_tokens),
                     device_of(plan), capacity_text(plan.memory.total() - budget_of(plan), Rounding::kUp));
}

std::vector<std::string> decision_of(const ScenarioPlan& plan) {
  if (!plan.scenario.has_device) return {scenario_view(plan).answer};
  if (!plan.fits) {
    std::vector<std::string> answer = {shortage_sentence(plan)};
    answer.push_back(plan.ways.empty() ? "Neither a smaller batch, narrower types nor TP 8 makes it fit."
                                       : fmt::format("Cheapest change: {}.", plan.ways.front().text));
    answer.push_back(confidence_sentence(plan));
    return answer;
  }
  std::vector<std::string> answer = {serves_sentence(plan)};
  if (plan.max_context) answer.push_back(fmt::format("Limit at this batch: {}.", token_text(*plan.max_context)));
  answer.push_back(confidence_sentence(plan));
  return answer;
}

void add_status(ReportView& report, const ScenarioPlan& plan) {
  if (!plan.scenario.has_device) {
    report.status = ReportStatus::kLimited;
    report.status_text = "No device named";
  } else if (!plan.fits) {
    report.status = ReportStatus::kBad;
    report.status_text = "Does not fit";
  } else if (budget_of(plan) - plan.memory.total() < kTightShare * budget_of(plan)) {
    report.status = ReportStatus::kLimited;
    report.status_text = "Fits with less than 10 % spare";
  } else {
    report.status = ReportStatus::kGood;
    report.status_text = "Fits";
  }
}

std::string count_text(const std::optional<int>& count) {
  return count ? viewmodel::format_count(*count) : std::string(viewmodel::kMissing);
}

void add_key_figures(ReportView& report, const ScenarioPlan& plan) {
  const double total = plan.memory.total();
  auto& figures = report.key_figures;
  figures.push_back({"Needed per GPU", capacity_text(total, Rounding::kUp), "fullest device", Origin::kEstimated});
  if (!plan.scenario.has_device) {
    figures.push_back({"KV cache", capacity_text(plan.memory.kv_cache, Rounding::kUp), "", Origin::kExact});
    return;
  }
  const double spare = budget_of(plan) - total;
  figures.push_back({"Budget per GPU",
                     capacity_text(budget_of(plan), Rounding::kDown),
                     fmt::format("of {}", capacity_text(plan.scenario.planner->capacity_bytes(), Rounding::kDown)),
                     {}});
  figures.push_back({spare >= 0.0 ? "Spare" : "Short",
                     capacity_text(std::abs(spare), spare >= 0.0 ? Rounding::kDown : Rounding::kUp),
                     fmt::format("{} of the budget", viewmodel::format_percent(std::abs(spare) / budget_of(plan))),
                     Origin::kEstimated});
  figures.push_back({"Context limit", count_text(plan.max_context),
                     fmt::format("tokens at batch {}", viewmodel::format_count(plan.batch_size)), Origin::kEstimated});
  figures.push_back({"Batch limit", count_text(plan.max_batch), fmt::format("at {}", token_text(plan.context_tokens)),
                     Origin::kEstimated});
}

viewmodel::Table configuration_of(const ScenarioPlan& plan) {
  const PlanScenario& s = settled_scenario(plan);
  viewmodel::SettingsBuilder facts;
  facts.add("Model", s.model.name);
  facts.add("Trained context limit, tokens", viewmodel::format_count(s.model.max_context));
  facts.add("Type of weights", weights_title(s));
  facts.add("Type of KV cache", std::string(s.cache.title));
  facts.add("Context, tokens", viewmodel::format_count(plan.context_tokens));
  facts.add("Batch, sequences", viewmodel::format_count(plan.batch_size));
  if (plan.scenario.has_device) {
    facts.add("Device", s.device.name);
    facts.add("Devices", viewmodel::format_count(s.layout.n_devices()));
    facts.add("Parallelism", title_of(s.layout));
    facts.add("Memory per device", capacity_text(plan.scenario.planner->capacity_bytes(), Rounding::kDown));
    facts.add("Share the engine may take", viewmodel::format_percent(plan.scenario.planner->memory_fraction()));
  }
  facts.add("Engine", std::string(s.engine.name));
  facts.add("Facts of the engine read at", s.engine.read_at);
  facts.add("Largest step, tokens",
            viewmodel::format_count(plan.scenario.planner->step_limits().max_num_batched_tokens));
  facts.add("Most sequences at once", viewmodel::format_count(plan.scenario.planner->step_limits().max_num_seqs));
  facts.add("Program version", DACHLAST_VERSION);
  return facts.build("configuration", "Configuration");
}

void add_memory_charts(ReportView& report, const ScenarioPlan& plan, viewmodel::CapacityUnits units,
                       const figure::Wording* wording) {
  const ScenarioView view = scenario_view(plan);
  if (plan.scenario.has_device) report.memory_lines.push_back(view.lines.front());
  const viewmodel::MemoryBar bar = memory_bar_of(plan);
  report.memory_bar = {
      viewmodel::memory_bar_figure(bar, figure::for_readers(kBarWide, wording), "memory-bar"),
      viewmodel::memory_bar_figure(bar, figure::for_readers(kBarNarrow, wording), "memory-bar-narrow")};
  const viewmodel::ContextChart chart = context_chart_of(plan);
  report.memory_context = {
      viewmodel::context_chart_figure(chart, figure::for_readers(kContextWide, wording), "memory-context", units),
      viewmodel::context_chart_figure(chart, figure::for_readers(kContextNarrow, wording), "memory-context-narrow",
                                      units)};
  if (plan.scenario.has_device) {
    const ScenarioSweep grid = heatmap_sweep(plan.scenario, kGridColumns, kGridRows);
    report.memory_grid = {sweep_figure(grid, figure::for_readers(kGridWide, wording)),
                          sweep_figure(grid, figure::for_readers(kGridNarrow, wording))};
    report.memory_grid->wide.id = "memory-grid";
    report.memory_grid->narrow.id = "memory-grid-narrow";
  }
  report.memory = view.memory;
}

viewmodel::Table kv_table(const ScenarioPlan& plan) {
  const MemoryPlanner& planner = *plan.scenario.planner;
  viewmodel::SettingsBuilder facts;
  facts.add("Per token and device, in layers that keep every token",
            capacity_text(planner.kv_bytes_per_token(), Rounding::kUp));
  facts.add("All sequences at this context", capacity_text(plan.memory.kv_cache, Rounding::kUp));
  if (plan.scenario.has_device && planner.kv_room() > 0.0) {
    const double held = std::floor(planner.kv_tokens(plan.context_tokens));
    facts.add("Room for the cache per device", capacity_text(planner.kv_room(), Rounding::kDown));
    facts.add("Tokens the room holds", viewmodel::format_count(static_cast<std::int64_t>(held)));
    facts.add("Requests of this context at once", count_text(plan.max_batch));
  }
  viewmodel::Table table = facts.build("kv-cache", "KV cache");
  table.columns.front() = {"figure", "Figure", "", "", viewmodel::Align::kLeft};
  return table;
}

void add_kv_cache(ReportView& report, const ScenarioPlan& plan) {
  report.kv_lines.push_back(scenario_view(plan).lines.back());
  report.kv_tables.push_back(kv_table(plan));
}

void add_accuracy(ReportView& report) {
  std::vector<std::string> sources;
  std::vector<std::optional<double>> errors;
  double worst = 0.0;
  for (const BesideResidual& residual : beside_residuals()) {
    sources.emplace_back(residual.source);
    errors.emplace_back(residual.share);
    worst = std::max(worst, std::abs(residual.share));
  }
  report.accuracy_lines.push_back(fmt::format(
      "Weights and KV cache are counted. Activations and runtime are predicted with constants of the other publishers' "
      "starts; the worst of {} published ones lay {} away.",
      sources.size(), viewmodel::format_percent(worst)));
  TableBuilder table("accuracy", "Published starts against their prediction");
  table.text({"source", "Source", "", ""}, sources);
  std::vector<viewmodel::Cell> cells;
  for (const auto& error : errors)
    cells.push_back(viewmodel::number_cell(*error, viewmodel::format_change(*error), Origin::kMeasured));
  table.cells({"error", "Difference", "", "Published over predicted, less one, of activations and runtime."},
              std::move(cells));
  report.accuracy = table.build();
}

viewmodel::Table inputs_of(const ScenarioPlan& plan) {
  const PlanScenario& s = settled_scenario(plan);
  viewmodel::SettingsBuilder facts;
  facts.add("Model", s.model.name);
  facts.add("Hash of the configuration", resolve_model(plan.scenario.request.model).config_hash);
  if (plan.scenario.has_device) facts.add("Device file", s.device.id);
  facts.add("Engine profile", fmt::format("{} {}", s.engine.id, s.engine.read_at));
  facts.add("Program version", DACHLAST_VERSION);
  viewmodel::Table table = facts.build("inputs", "What went in");
  table.columns.front() = {"input", "Input", "", "", viewmodel::Align::kLeft};
  return table;
}

void note_left_out(ReportView& report) {
  report.left_out = {{"Phases", "Nothing was measured."},
                     {"Roofline", "Nothing was measured."},
                     {"Comparison", "A plan has no baseline."}};
  if (report.latency_tables.empty())
    report.left_out.push_back({"Latency and throughput", "This report predicts memory only."});
  if (!report.options)
    report.left_out.push_back({"Options", "No other configurations were weighed; dachlast recommend does."});
}

std::string quoted(const std::string& word) {
  if (word.find_first_of(" '\"\\$`;&|<>()*?[]#~!") == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace

std::string plan_command(const ScenarioPlan& plan) {
  const ScenarioRequest& request = plan.scenario.request;
  std::string line = "dachlast plan";
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) line += fmt::format(" {} {}", option, quoted(value));
  };
  const auto count = [&](const char* option, std::optional<int> value) {
    if (value) add(option, fmt::format("{}", *value));
  };
  add("--model", request.model);
  add("--gpu", request.device);
  count("--context", plan.context_tokens);
  count("--batch", plan.batch_size);
  add("--dtype", request.weights);
  add("--kv-dtype", request.cache);
  add("--kv", request.kv);
  if (request.layout.tensor_parallel > 1) count("--tp", request.layout.tensor_parallel);
  if (request.layout.pipeline_parallel > 1) count("--pp", request.layout.pipeline_parallel);
  if (request.layout.attention_data_parallel > 1) count("--dp-attention", request.layout.attention_data_parallel);
  if (request.layout.experts == ExpertPlacement::kWhole) line += " --expert-parallel";
  add("--engine", request.engine);
  if (request.limits.memory_fraction) add("--memory-fraction", fmt::format("{}", *request.limits.memory_fraction));
  count("--max-num-seqs", request.limits.max_num_seqs);
  count("--max-batched-tokens", request.limits.max_num_batched_tokens);
  count("--block-size", request.limits.block_tokens);
  return viewmodel::without_folders(line);
}

viewmodel::ReportView report_view(const ScenarioPlan& plan, viewmodel::CapacityUnits units,
                                  const figure::Wording* wording) {
  ReportView report;
  const PlanScenario& s = settled_scenario(plan);
  report.title = plan.scenario.has_device ? fmt::format("{} on {}", s.model.name, device_of(plan)) : s.model.name;
  report.program_version = DACHLAST_VERSION;
  add_status(report, plan);
  report.answer = decision_of(plan);
  add_key_figures(report, plan);
  report.configuration_line = fmt::format("{} weights · {} KV cache · {} · {}", weights_title(s), s.cache.title,
                                          title_of(s.layout), s.engine.name);
  if (!plan.scenario.warnings.empty()) report.risk = plan.scenario.warnings.front().text;
  if (!plan.ways.empty()) {
    report.recommendation.title = "What would make it fit";
    for (const WayToFit& way : plan.ways) report.recommendation.items.push_back(way.text);
  }
  report.configuration = configuration_of(plan);
  add_memory_charts(report, plan, units, wording);
  add_kv_cache(report, plan);
  report.warnings = plan.scenario.warnings;
  report.assumptions = plan.scenario.assumptions;
  add_accuracy(report);
  report.command = plan_command(plan);
  report.inputs = inputs_of(plan);
  note_left_out(report);
  return report;
}

}  // namespace dachlast
