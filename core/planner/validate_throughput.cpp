// Measured speeds: the time model predicts them, and each of these configurations ran, so each must fit.
// Most sources state no memory fraction, which people raise where it is needed: what is judged is whether the whole device
// holds the configuration.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/model/gguf_mix.h"
#include "core/planner/row_scenario.h"
#include "core/planner/validate_speed.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

/// "64"; rates and "1000 prompts" queue up, so one sequence at a time may be all that runs.
std::optional<int> stated_batch(const std::string& text) {
  int batch = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), batch);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size() && batch > 0 ? std::optional(batch)
                                                                                      : std::nullopt;
}

/// Whether all sequences of a stated batch are held at once: static batching. Servers let what does not fit wait.
bool holds_whole_batch(const ThroughputRow& row) {
  return row.source.notes.find("static batching") != std::string::npos;
}

int tokens_of(const ThroughputRow& row) {
  constexpr double kMost = 1e9;
  const double tokens = std::ceil(row.input_len.value_or(0.0) + row.output_len.value_or(0.0));
  return static_cast<int>(std::clamp(tokens, 1.0, kMost));
}

/// An engine built for one static batch allocates the cache of that batch as one contiguous buffer: no share of the memory
/// is set apart for blocks.
/// Source   NVIDIA/TensorRT-LLM:cpp/tensorrt_llm/runtime/gptSession.cpp (createBuffers, createKvCacheManager for paged
///          caches alone)
void hold_batch(RowScenario& scenario, int batch) {
  scenario.limits.max_num_seqs = batch;
  scenario.engine.budget.value = BudgetRule::kWholeDevice;
}

void check_fit(const ThroughputRow& row, RowCatalog& catalog, Validation& validation) {
  const std::string& id = row.source.id;
  const RowReading reading = read_scenario(row, catalog);
  if (!reading.scenario) {
    validation.skipped.push_back({id, "fit", reading.reason});
    return;
  }
  for (const std::string& text : reading.scenario->assumptions) validation.assumptions.push_back({id, text});
  const int batch = holds_whole_batch(row) ? stated_batch(row.batch_or_concurrency).value_or(1) : 1;
  RowScenario scenario = *reading.scenario;
  if (holds_whole_batch(row)) hold_batch(scenario, batch);
  require_shardable(scenario.model, scenario.layout);
  const MemoryPlanner planner = *scenario.planner();
  const double spare = planner.budget_bytes() - planner.at(tokens_of(row), batch).total();
  validation.fits.push_back(
      {id, spare >= 0.0 ? FitVerdict::kFits : FitVerdict::kDoesNotFit, FitVerdict::kFits,
       fmt::format("{} {:.2f} GiB per GPU at {} tokens, batch {}", spare >= 0.0 ? "spare" : "short by",
                   std::abs(spare) / kGiB, tokens_of(row), batch)});
}

}  // namespace

Validation validate_throughput(std::span<const ThroughputRow> rows, RowCatalog& catalog) {
  Validation validation;
  SpeedCheck speed(catalog);
  for (const ThroughputRow& row : rows) {
    ++validation.n_rows;
    try {
      speed.check(row, validation);
    } catch (const Error& error) {
      validation.skipped.push_back({row.source.id, row.metric, error.what()});
    }
    try {
      check_fit(row, catalog, validation);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kDoesNotFit)
        validation.fits.push_back({row.source.id, FitVerdict::kDoesNotFit, FitVerdict::kFits, error.what()});
      else
        validation.skipped.push_back({row.source.id, "fit", error.what()});
    }
  }
  return validation;
}

}  // namespace dachlast
