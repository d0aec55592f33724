#include "core/workbench/scenario_speed.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "core/viewmodel/format.h"

namespace dachlast {
namespace {

using viewmodel::Measure;

void require_part(std::string_view option, int tokens) {
  if (tokens > 0) return;
  throw Error(ErrorKind::kUsage, std::string(option), fmt::format("{} is not a positive number.", tokens),
              "Give 1 or more.");
}

Remark load_remark(const ServedLoad& load) {
  return {"speed_load",
          fmt::format("Speed at {} at once with prompts of {} and answers of {} tokens (--prompt-tokens, "
                      "--output-tokens); each client sends its next when the last is answered, nothing is shared.",
                      viewmodel::counted(load.n_sequences, "request", "requests"),
                      viewmodel::format_count(load.prompt_tokens), viewmodel::format_count(load.output_tokens))};
}

viewmodel::Cell amount(Measure measure, double value) {
  return viewmodel::number_cell(value, viewmodel::format(measure, value), Origin::kEstimated);
}

std::vector<viewmodel::Cell> speed_row(const char* key, const char* title, Measure measure, const SpeedFigure& figure) {
  std::vector<viewmodel::Cell> row = {{.raw = std::string(key), .text = title, .origin = {}},
                                      amount(measure, figure.value)};
  row.push_back(figure.interval ? amount(measure, figure.interval->low) : viewmodel::missing_cell());
  row.push_back(figure.interval ? amount(measure, figure.interval->high) : viewmodel::missing_cell());
  return row;
}

void hold(ScenarioSpeed& speed, const MemoryPlanner& planner, const MeasuredSpeed& measured) {
  const SpeedOrReason there = served_speed(planner, measured.load, efficiency_curves());
  if (!there.speed) {
    speed.predicted = there;
    return;
  }
  speed.predicted.speed = held_to(*speed.predicted.speed, speed.load, *there.speed, measured);
  speed.measured = measured;
}

/// "TTFT 312 ms and TPOT 11.2 ms at 8 requests of 1,024 + 1,024 tokens"
std::string measured_text(const MeasuredSpeed& measured) {
  std::vector<std::string> figures;
  if (measured.ttft_s) figures.push_back("TTFT " + viewmodel::format(Measure::kTime, *measured.ttft_s));
  if (measured.tpot_s) figures.push_back("TPOT " + viewmodel::format(Measure::kTime, *measured.tpot_s));
  return fmt::format("{} at {} of {} + {} tokens", fmt::join(figures, " and "),
                     viewmodel::counted(measured.load.n_sequences, "request", "requests"),
                     viewmodel::format_count(measured.load.prompt_tokens),
                     viewmodel::format_count(measured.load.output_tokens));
}

}  // namespace

ServedLoad split_context(int context_tokens, const ContextSplit& split, int n_sequences) {
  require_part("--prompt-tokens", split.prompt_tokens.value_or(1));
  require_part("--output-tokens", split.output_tokens.value_or(1));
  const int usual = std::clamp(context_tokens / 8, 1, kDefaultOutputTokens);
  const int output =
      split.output_tokens.value_or(split.prompt_tokens ? std::max(1, context_tokens - *split.prompt_tokens) : usual);
  const ServedLoad load{split.prompt_tokens.value_or(std::max(1, context_tokens - output)), output, n_sequences};
  if (static_cast<long long>(load.prompt_tokens) + load.output_tokens > std::max(context_tokens, 2))
    throw Error(
        ErrorKind::kUsage, "--prompt-tokens and --output-tokens",
        fmt::format("{} and {} tokens are more than the context of {}.", viewmodel::format_count(load.prompt_tokens),
                    viewmodel::format_count(load.output_tokens), viewmodel::format_count(context_tokens)),
        "Raise --context, or shorten them.");
  return load;
}

const EfficiencyCatalog& efficiency_curves() {
  static const EfficiencyCatalog curves(data_dir() / "efficiency");
  return curves;
}

void predict_speed(ScenarioPlan& plan, const ContextSplit& split, const std::optional<MeasuredSpeed>& measured) {
  ScenarioSpeed speed{.load = split_context(plan.context_tokens, split, plan.batch_size), .predicted = {}};
  if (!plan.scenario.has_device)
    speed.predicted.reason = "no device is named (--gpu)";
  else if (!plan.fits)
    speed.predicted.reason = "it does not fit";
  else
    speed.predicted = served_speed(*plan.scenario.planner, speed.load, efficiency_curves());
  if (measured && speed.predicted.speed) hold(speed, *plan.scenario.planner, *measured);
  if (speed.predicted.speed) plan.scenario.assumptions.push_back(load_remark(speed.load));
  plan.speed = std::move(speed);
}

SweepSpeeds sweep_speeds(const ScenarioSweep& sweep, const ContextSplit& split,
                         const std::optional<MeasuredSpeed>& measured) {
  SweepSpeeds speeds;
  const MemoryPlanner& planner = *sweep.scenario.planner;
  const PlanScenario& plan = planner.scenario();
  speeds.cells.resize(sweep.cells.size());
  if (!sweep.scenario.has_device)
    speeds.reason = "no device is named (--gpu)";
  else if (sweep.cells.size() > kMostTimedCells)
    speeds.reason = fmt::format("a sweep of more than {} cells is not timed", viewmodel::format_count(kMostTimedCells));
  else
    speeds.reason = no_speed_reason(plan.engine, plan.device);
  if (!speeds.reason.empty()) return speeds;
  speeds.assumptions.push_back(
      {"speed_load",
       fmt::format("Speeds with as many clients as the batch; answers of an eighth of the context, at most "
                   "{} tokens, unless stated (--prompt-tokens, --output-tokens).",
                   kDefaultOutputTokens)});
  try {
    const StepTimer timer(time_scenario_of(plan), efficiency_curves());
    const auto played = [&](const ServedLoad& load) {
      return with_intervals(serving_time(timer, serving_load(load), serving_limits(planner)), plan.engine.speed,
                            timer.origin());
    };
    const std::optional<ServedSpeed> there = measured ? std::optional(played(measured->load)) : std::nullopt;
    for (std::size_t i = 0; i < sweep.cells.size(); ++i) {
      if (sweep.cells[i].total() > planner.budget_bytes()) continue;
      const ServedLoad load =
          split_context(sweep.contexts[i % sweep.contexts.size()], split, sweep.batches[i / sweep.contexts.size()]);
      speeds.cells[i] = there ? held_to(played(load), load, *there, *measured) : played(load);
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::kUsage) throw;
    speeds.reason = error.what();
  }
  return speeds;
}

viewmodel::Table speed_table(const ScenarioSpeed& speed) {
  viewmodel::Table table{.id = "speed", .title = "Speed", .columns = {}, .rows = {}, .notes = {}};
  table.columns = {
      {.key = "metric", .title = "Figure", .unit = {}, .description = {}, .align = viewmodel::Align::kLeft},
      {.key = "predicted", .title = "Predicted", .unit = {}, .description = {}},
      {.key = "low", .title = "From", .unit = {}, .description = "90 % interval"},
      {.key = "high", .title = "To", .unit = {}, .description = "90 % interval"}};
  if (!speed.predicted.speed) return table;
  const ServedSpeed& s = *speed.predicted.speed;
  table.rows.push_back(speed_row("ttft_s", "TTFT", Measure::kTime, s.ttft_s));
  if (s.tpot_s) table.rows.push_back(speed_row("tpot_s", "TPOT", Measure::kTime, *s.tpot_s));
  table.rows.push_back(speed_row("output_tokens_s", "Output, all", Measure::kTokenRate, s.output_tokens_s));
  return table;
}

std::string speed_sentence(const ScenarioSpeed& speed) {
  if (!speed.predicted.speed) return fmt::format("Speed is not predicted: {}.", speed.predicted.reason);
  if (speed.measured && distance_between(speed.measured->load, speed.load) == LoadDistance::kFar)
    return fmt::format("Speed: as predicted: {} says nothing of so many more or fewer (over four times).",
                       measured_text(*speed.measured));
  if (speed.measured)
    return fmt::format(
        "Speed: held to {}; nine in ten published figures of deployments known at one such load lie between From and "
        "To.",
        measured_text(*speed.measured));
  return fmt::format("Speed: nine in ten published figures lie between From and To of such a prediction; kernels {}.",
                     name_of(speed.predicted.speed->origin));
}

}  // namespace dachlast
