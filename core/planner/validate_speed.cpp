#include "core/planner/validate_speed.h"

#include <fmt/core.h>

namespace dachlast {
namespace {

constexpr double kMilli = 1e3;

/// All that two rows must share to be of one run.
std::string key_of(const ThroughputRow& row) {
  const bool prompt = row.metric == "pp_tok_s";
  return fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", row.engine, row.engine_version, row.model, row.gpu,
                     row.n_gpus.value_or(0), row.tp.value_or(0), row.pp.value_or(0), row.weight_dtype, row.kv_dtype,
                     row.input_len.value_or(0.0), row.output_len.value_or(0.0), row.batch_or_concurrency, prompt,
                     row.source.notes);
}

std::string ranks_text(const ServingRanks& ranks) {
  return fmt::format("{}x{}.{}.{}.{}.{}", ranks.n_workers.value_or(0), ranks.tp.value_or(0), ranks.pp.value_or(0),
                     ranks.attention_dp.value_or(0), ranks.moe_tp.value_or(0), ranks.moe_ep.value_or(0));
}

ServedAt served_at(const ServingRow& row) {
  return {.deployment =
              fmt::format("{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}|{}", row.measured_date, row.backend, row.backend_version,
                          row.image, row.model, row.system, row.precision, row.mode, row.gemm_quant, row.moe_quant,
                          ranks_text(row.ranks), ranks_text(row.prefill), ranks_text(row.decode)),
          .load = {.prompt_tokens = static_cast<int>(row.isl.value_or(0.0)),
                   .output_tokens = static_cast<int>(row.osl.value_or(0.0)),
                   .n_sequences = row.concurrency.value_or(0)}};
}

std::string component_of(const std::string& metric) {
  return metric == "ttft_ms" ? "ttft" : metric == "tpot_ms" ? "tpot" : "tok_s";
}

/// The row's metric in its unit; 0 where the answer has none.
double figure_of(const std::string& metric, const ServingLoad& load, const ServingTime& time) {
  if (metric == "ttft_ms") return kMilli * time.ttft_s;
  if (metric == "tpot_ms") return kMilli * time.tpot_s;
  if (metric == "output_tok_s") return time.output_tokens_s;
  if (metric == "total_tok_s") return time.total_tokens_s;
  if (metric == "pp_tok_s") return time.ttft_s > 0.0 ? load.n_clients * load.input_tokens / time.ttft_s : 0.0;
  if (metric == "tg_tok_s") return time.tpot_s > 0.0 ? load.n_clients / time.tpot_s : 0.0;
  return 0.0;
}

const RatioInterval& ratios_of(const std::string& metric, const SpeedFacts& facts) {
  return metric == "ttft_ms" ? facts.ttft : metric == "tpot_ms" ? facts.tpot : facts.rate;
}

FigureSubject subject_of(const SpeedQuestion& question, const std::string& engine) {
  return {.engine = engine, .model = question.scenario.model.name, .device = question.scenario.device.id};
}

}  // namespace

template <class Row>
const SpeedCheck::Known& SpeedCheck::known(const std::string& key, const Row& row) {
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  Known made;
  made.reading = read_question(row, catalog_);
  if (made.reading.question) made.answer = answer(*made.reading.question, catalog_.efficiency());
  return known_.emplace(key, std::move(made)).first->second;
}

void SpeedCheck::check(const ThroughputRow& row, Validation& validation) {
  const Known& run = known(key_of(row), row);
  const std::string component = component_of(row.metric);
  if (!run.answer) {
    validation.skipped.push_back({row.source.id, component, run.reading.reason});
    return;
  }
  const double figure = figure_of(row.metric, run.reading.question->load, run.answer->time);
  if (!(figure > 0.0)) {
    validation.skipped.push_back(
        {row.source.id, component, fmt::format("{} of such a run is not defined", row.metric)});
    return;
  }
  const TimeScenario& scenario = run.reading.question->scenario;
  validation.add({.id = row.source.id,
                  .component = component,
                  .item = row.metric,
                  .predicted = figure,
                  .published = row.value.value_or(0.0),
                  .interval = speed_interval(figure, ratios_of(row.metric, scenario.engine.speed), run.answer->origin),
                  .subject = subject_of(*run.reading.question, scenario.engine.name)});
}

void SpeedCheck::check(const ServingRow& row, Validation& validation) {
  const SpeedReading reading = read_question(row, catalog_);
  if (!reading.question) {
    validation.skipped.push_back({row.source.id, "all", reading.reason});
    return;
  }
  const SpeedAnswer told = answer(*reading.question, catalog_.efficiency());
  for (const std::string& text : reading.question->assumptions) validation.assumptions.push_back({row.source.id, text});
  const auto add = [&](const char* metric, std::optional<double> published) {
    if (!published) return;
    const double figure = figure_of(metric, reading.question->load, told.time);
    const SpeedFacts& facts = reading.question->scenario.engine.speed;
    validation.add({.id = row.source.id,
                    .component = component_of(metric),
                    .item = metric,
                    .predicted = figure,
                    .published = *published,
                    .interval = speed_interval(figure, ratios_of(metric, facts), told.origin),
                    .subject = subject_of(*reading.question, reading.question->scenario.engine.name),
                    .at = served_at(row)});
  };
  add("ttft_ms", row.ttft_ms);
  add("tpot_ms", row.tpot_ms);
}

Validation validate_serving(std::span<const ServingRow> rows, RowCatalog& catalog) {
  SpeedCheck speed(catalog);
  return validate_each(rows, [&](const ServingRow& row, Validation& validation) { speed.check(row, validation); });
}

}  // namespace dachlast
