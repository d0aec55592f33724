// Measured speeds: each of these configurations ran, so each must fit. Times need the time model.
// Most sources state no memory fraction, which people raise where it is needed: what is judged is whether the whole device
// holds the configuration.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/model/gguf_mix.h"
#include "core/planner/row_scenario.h"
#include "core/planner/validation.h"

namespace dachlast {
namespace {

constexpr const char* kNoTimeModel = "not predicted by this version: it has no time model yet";

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

/// gpustack's tables name the type of a case in its heading; their model stays the one that is quantized while loading.
bool is_fp8_section(const ThroughputRow& row) {
  return row.source.notes.find("/ \"FP8\"") != std::string::npos;
}

struct FitReading {
  std::optional<RowScenario> scenario;
  std::string reason;
};

/// Layers are spread over GPUs by llama.cpp, matrices by the servers.
Layout layout_of(const ThroughputRow& row, const EngineProfile& engine) {
  Layout layout;
  const int n_gpus = std::max(1, row.n_gpus.value_or(1));
  if (engine.id == "llama.cpp") {
    layout.pipeline_parallel = n_gpus;
    return layout;
  }
  layout.tensor_parallel = row.tp.value_or(row.pp ? 1 : n_gpus);
  layout.pipeline_parallel = row.pp.value_or(1);
  return layout;
}

FitReading read_fit(const ThroughputRow& row, RowCatalog& catalog) {
  const std::string engine_name = lower_case(row.engine);
  if (engine_name.find("ollama") != std::string::npos)
    return {{}, "Ollama keeps in host memory what does not fit: that it ran says nothing"};
  if (row.n_gpus == 0) return {{}, "ran on a processor whose memory is not stated"};
  const KnownModel* known = catalog.model(row.model);
  if (known == nullptr) return {{}, fmt::format("no known config is of \"{}\"", row.model)};
  const auto device = catalog.device(read_device_words(row.gpu));
  if (!device) return {{}, fmt::format("the device \"{}\" is not in the catalog", row.gpu)};
  if (!device->spec->main_memory().capacity) return {{}, fmt::format("no capacity of {} is known", device->spec->name)};
  RowScenario scenario;
  scenario.model = known->spec;
  const RowEngine engine = row_engine(row.engine, row.engine_version, row.source, std::nullopt);
  if (engine.id == "llama.cpp") scenario.gguf_types = gguf_mix(row.weight_dtype);
  // A GGUF file has types of its own; the config of the model says nothing of them.
  const std::string dtype = scenario.gguf_types ? "" : is_fp8_section(row) ? "fp8" : row.weight_dtype;
  const auto weights = row_weights(row.model, dtype, known->own_weights);
  const auto cache = row_cache(row.kv_dtype);
  if (!weights) return {{}, fmt::format("the weight type \"{}\" is not known", row.weight_dtype)};
  if (!cache) return {{}, fmt::format("the cache type \"{}\" is not known", row.kv_dtype)};
  scenario.weights = *weights;
  scenario.cache = *cache;
  scenario.engine = catalog.engine(engine);
  scenario.layout = layout_of(row, scenario.engine);
  scenario.device = *device->spec;
  scenario.capacity = capacity_for_frameworks(*device->spec);
  scenario.limits.memory_fraction = read_notes(row.source.notes).memory_fraction.value_or(1.0);
  if (!device->assumption.empty()) scenario.assumptions.push_back(device->assumption);
  if (!engine.assumption.empty()) scenario.assumptions.push_back(engine.assumption);
  return {std::move(scenario), {}};
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
  const FitReading reading = read_fit(row, catalog);
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
  for (const ThroughputRow& row : rows) {
    ++validation.n_rows;
    try {
      check_fit(row, catalog, validation);
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::kDoesNotFit)
        validation.fits.push_back({row.source.id, FitVerdict::kDoesNotFit, FitVerdict::kFits, error.what()});
      else
        validation.skipped.push_back({row.source.id, "fit", error.what()});
    }
    validation.skipped.push_back({row.source.id, row.metric, kNoTimeModel});
  }
  return validation;
}

}  // namespace dachlast
