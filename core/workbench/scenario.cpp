#include "core/workbench/scenario.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/base/nearest_name.h"
#include "core/hardware/device_catalog.h"
#include "core/memory/amount_text.h"
#include "core/model/gguf_file_weights.h"
#include "core/model/model_source.h"
#include "core/model/weight_inventory.h"
#include "core/planner/residuals.h"
#include "core/viewmodel/format.h"
#include "core/workbench/host_speed.h"
#include "core/workbench/own_cache.h"

namespace dachlast {

struct ScenarioSources {
  ModelSpec spec;
  std::optional<Bytes> counted;       // weights, to the byte
  std::optional<GgufMix> gguf_types;  // of a GGUF file: the type of most of its bytes
  std::optional<GgufWeights> gguf_file;
  std::vector<ConfigWarning> warnings;
  EngineProfile engine;
  std::optional<DeviceSpec> device;
};

namespace {

void count_gguf(const GgufFile& file, ScenarioSources& found) {
  const WeightInventory inventory = weight_inventory(file);
  if (inventory.by_type.empty()) return;  // a vocabulary alone
  found.counted = Bytes{static_cast<double>(inventory.bytes)};
  found.gguf_types = gguf_mix(inventory.by_type.front().type);
  found.gguf_file = gguf_file_weights(file, found.spec.n_layers());
}

ScenarioSources find_model(const std::string& name) {
  ModelSource source = resolve_model(name);
  ScenarioSources found;
  found.spec = std::move(source.spec);
  found.warnings = std::move(source.warnings);
  if (!source.weights_path) return found;
  if (source.weights_path->extension() == ".gguf") {
    count_gguf(read_gguf(*source.weights_path), found);
    return found;
  }
  found.counted = Bytes{static_cast<double>(weight_inventory(*source.weights_path).bytes)};
  return found;
}

const StorageFormat& native_format(const ModelSpec& model) {
  return *storage_format(name_of(model.native_dtype));
}

/// What a checkpoint's plain weights are held in. GPU engines serve FP32 in 16 bits unless told otherwise.
/// Source   vllm-project/vllm:vllm/config/model.py _get_and_verify_dtype; the others do likewise
const StorageFormat& served_format(const ModelSpec& model, const EngineProfile& engine) {
  const StorageFormat& native = native_format(model);
  const bool narrows = engine.budget.value != BudgetRule::kWholeDevice;
  return narrows && native.bits > 16 ? *storage_format("bf16") : native;
}

/// This program's own engine quantizes every matrix, embeddings, head and routers too, and keeps all else in FP32.
WeightFormat quantized_by_this_engine(WeightFormat format) {
  format.covered = format.covered.with(MatrixKind::kEmbedding).with(MatrixKind::kHead).with(MatrixKind::kRouter);
  format.rest = *storage_format("f32");
  return format;
}

WeightFormat weights_of(const ScenarioRequest& request, const ScenarioSources& found,
                        std::vector<Remark>& assumptions) {
  const EngineProfile& engine = found.engine;
  const StorageFormat& served = served_format(found.spec, engine);
  if (!request.weights.empty()) {
    const WeightFormat named = weight_format(request.weights, served);
    return named.is_quantized() && engine.id == "dachlast" ? quantized_by_this_engine(named) : named;
  }
  WeightFormat published = found.spec.quantized_weights.value_or(plain_weights(served));
  published.rest = served;
  const bool narrowed = served.bits < native_format(found.spec).bits;
  assumptions.push_back({"weights", fmt::format("Weights in {}, {} (--dtype).", title_of(published),
                                                narrowed ? fmt::format("as {} serves what is published in {}",
                                                                       engine.name, native_format(found.spec).title)
                                                         : "as published")});
  return published;
}

constexpr std::string_view kLlamaCpp = "llama.cpp";

/// Types of a GGUF file: the one given, or the one `--dtype` names; llama.cpp reads nothing else, so the model's own type stands
/// for one there.
std::optional<GgufMix> gguf_types_of(const ScenarioRequest& request, const ScenarioSources& found) {
  if (!request.weights.empty() && storage_format(request.weights) == nullptr)
    if (auto named = gguf_mix(request.weights)) return named;
  if (request.weights.empty() && found.gguf_types) return found.gguf_types;
  if (found.engine.id != kLlamaCpp) return std::nullopt;
  const std::string name = request.weights.empty() ? std::string(native_format(found.spec).name) : request.weights;
  if (auto plain = gguf_mix(name)) return plain;
  throw Error(ErrorKind::kUsage, fmt::format("--dtype {}", request.weights), "is no type of a GGUF file.",
              "Use one of llama.cpp's: F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q4_0, IQ4_XS.");
}

CacheFormat cache_of(const ScenarioRequest& request, const ModelSpec& model, const EngineProfile& engine,
                     std::vector<Remark>& assumptions) {
  if (request.cache.empty()) {
    const bool half = model.native_dtype == DType::kF16 || engine.id == kLlamaCpp;
    const CacheFormat& native = *cache_format(half ? "f16" : "bf16");
    assumptions.push_back({"kv_cache", fmt::format("KV cache in {}, as the activations (--kv-dtype).", native.title)});
    return native;
  }
  if (const CacheFormat* format = cache_format(request.cache)) return *format;
  const std::vector<std::string> names = cache_format_names();
  const auto nearest = nearest_name(request.cache, names);
  std::string known;
  for (const std::string& name : names) known += (known.empty() ? "" : ", ") + name;
  throw Error(ErrorKind::kUsage, fmt::format("--kv-dtype {}", request.cache), "is not known.",
              nearest ? fmt::format("Did you mean {}? Known: {}.", *nearest, known) : fmt::format("Known: {}.", known));
}

void note_gguf(const GgufMix& types, const ScenarioRequest& request, std::vector<Remark>& assumptions) {
  if (request.weights.empty())
    assumptions.push_back({"weights", fmt::format("Weights in {}, as the model states (--dtype).", types.name)});
  else
    assumptions.push_back({"weights", fmt::format("Tensor types of a {} file by llama.cpp's rules.", types.name)});
}

/// Unless it drafts, llama.cpp leaves them in the file.
void note_mtp(const ScenarioSources& found, std::vector<Remark>& assumptions) {
  const double left = found.counted->value - static_cast<double>(found.gguf_file->bytes());
  if (left > 0.0)
    assumptions.push_back({"mtp_layers", fmt::format("Layers for drafting, {} of the file, are not loaded.",
                                                     binary_amount(Bytes{left}))});
}

/// Stands for "no device": any amount fits.
DeviceSpec boundless_device() {
  DeviceSpec device;
  device.memory = {{.kind = PoolKind::kDevice,
                    .capacity = Bytes{std::numeric_limits<double>::max()},
                    .basis = CapacityBasis::kNominal,
                    .marketing_gb = {},
                    .bandwidth = {}}};
  return device;
}

void note_engine(const MemoryPlanner& planner, const ScenarioRequest& request, std::vector<Remark>& assumptions) {
  const EngineProfile& engine = planner.scenario().engine;
  assumptions.push_back({"engine", fmt::format("Engine {}, facts of {} (--engine).", engine.name, engine.read_at)});
  if (!request.limits.memory_fraction && engine.budget.value != BudgetRule::kWholeDevice && !request.device.empty())
    assumptions.push_back(
        {"memory_fraction",
         fmt::format("It takes {} of {} (--memory-fraction).", viewmodel::format_percent(planner.memory_fraction()),
                     engine.budget.value == BudgetRule::kFractionOfFree ? "what is free beside the rest"
                                                                        : "the device's memory")});
  const StepLimits& limits = planner.step_limits();
  assumptions.push_back(
      {"step_limits", fmt::format("Steps of at most {} tokens and {} sequences (--max-batched-tokens, --max-num-seqs).",
                                  viewmodel::format_count(limits.max_num_batched_tokens),
                                  viewmodel::format_count(limits.max_num_seqs))});
}

void note_device(const DeviceSpec& device, std::vector<Remark>& assumptions, std::vector<Remark>& warnings) {
  if (device.main_memory().basis == CapacityBasis::kNominal)
    warnings.push_back({"nominal_capacity", fmt::format("The memory of {} is the number it is sold with; its driver "
                                                        "lists a little less.",
                                                        device.name)});
  else
    assumptions.push_back({"capacity", "Memory as the driver lists it; frameworks see slightly less."});
}

/// A grid people can read and a table that fits in memory.
constexpr std::size_t kMostCells = 100'000;

void require_size(std::string_view what, int value) {
  if (value > 0) return;
  throw Error(ErrorKind::kUsage, std::string(what), fmt::format("{} is not a positive number.", value),
              "Give 1 or more.");
}

void require_context(const ModelSpec& model, int context_tokens) {
  require_size("--context", context_tokens);
  if (context_tokens <= model.max_context) return;
  throw Error(ErrorKind::kDoesNotFit, fmt::format("context of {} tokens", viewmodel::format_count(context_tokens)),
              fmt::format("{} was trained for {} tokens.", model.name, viewmodel::format_count(model.max_context)),
              fmt::format("Use at most {}.", viewmodel::format_count(model.max_context)));
}

/// The engine runs no more sequences at once than it reserved room to sample for.
void note_batch(ScenarioPlan& plan) {
  const MemoryPlanner& planner = *plan.scenario.planner;
  const int most = planner.step_limits().max_num_seqs;
  const int groups = planner.scenario().layout.attention_data_parallel;
  if (plan.batch_size / groups < most || (plan.batch_size / groups == most && plan.batch_size % groups == 0)) return;
  plan.scenario.warnings.push_back(
      {"batch_over_max_num_seqs",
       fmt::format("{} runs at most {} at once here; a batch of {} needs --max-num-seqs raised, and with it workspace.",
                   planner.scenario().engine.name, viewmodel::counted(most, "sequence", "sequences"),
                   viewmodel::format_count(plan.batch_size))});
}

/// On this computer only the own engine runs, and only it is predicted.
bool takes_own_engine(const ScenarioRequest& request) {
  return is_this_machine(request.device) && request.engine == ScenarioRequest().engine;
}

ScenarioSources find_sources(const ScenarioRequest& request) {
  ScenarioSources sources = find_model(request.model);
  sources.engine = find_engine(takes_own_engine(request) ? kOwnEngine : std::string_view(request.engine));
  if (is_this_machine(request.device))
    sources.device = host_device();
  else if (!request.device.empty())
    sources.device = per_device(find_device(request.device));
  return sources;
}

/// What `run` takes where no type is named (resolve_format in plan_run.cpp).
KvFormat own_default_format(const WeightFormat& weights, std::vector<Remark>& assumptions) {
  const bool plain = !weights.is_quantized();
  const KvFormat format = plain && weights.rest.name == "f32" ? KvFormat::kF32 : KvFormat::kBF16;
  assumptions.push_back({"kv_cache", fmt::format("KV cache in {}{} (--kv-dtype).", display_name_of(format),
                                                 plain ? ", as the weights" : "")});
  return format;
}

Scenario scenario_of(const ScenarioRequest& request, std::shared_ptr<const ScenarioSources> sources) {
  const ScenarioSources& found = *sources;
  Scenario scenario;
  scenario.request = request;
  scenario.has_device = found.device.has_value();
  for (const ConfigWarning& warning : found.warnings) scenario.warnings.push_back({warning.code, warning.text});
  const std::optional<GgufMix> gguf_types = gguf_types_of(request, found);
  const WeightFormat weights =
      gguf_types ? plain_weights(native_format(found.spec)) : weights_of(request, found, scenario.assumptions);
  if (gguf_types) note_gguf(*gguf_types, request, scenario.assumptions);
  if (found.gguf_file && request.weights.empty() && found.engine.id == kLlamaCpp) note_mtp(found, scenario.assumptions);
  const KvSpec kv = own_cache(request, found.engine);
  OwnedParts parts{found.spec, request.limits, found.engine};
  apply(kv, parts);
  auto own = kv.format ? kv.format : kv_format_from_name(request.cache);
  if (found.engine.id == kOwnEngine && !own && request.cache.empty())
    own = own_default_format(weights, scenario.assumptions);
  const CacheFormat cache = found.engine.id == kOwnEngine && own
                                ? own_format(found.spec, kv, *own)
                                : cache_of(request, found.spec, found.engine, scenario.assumptions);
  if (!request.kv.empty()) scenario.assumptions.push_back({"kv", fmt::format("KV cache {} (--kv).", text_of(kv))});
  if (found.device) note_device(*found.device, scenario.assumptions, scenario.warnings);
  // What a file counts holds for the format it stores, not for another one asked for.
  const bool as_stored = request.weights.empty() && weights.rest.bits == native_format(found.spec).bits;
  scenario.planner = std::make_shared<const MemoryPlanner>(
      PlanScenario{.model = std::move(parts.model),
                   .weights = weights,
                   .cache = cache,
                   .device = found.device ? *found.device : boundless_device(),
                   .layout = request.layout,
                   .engine = std::move(parts.engine),
                   .limits = parts.limits,
                   .counted_weights = as_stored ? found.counted : std::nullopt,
                   .gguf_types = gguf_types,
                   .gguf_file = request.weights.empty() ? found.gguf_file : std::nullopt,
                   .capacity = std::nullopt});
  note_engine(*scenario.planner, request, scenario.assumptions);
  scenario.sources = std::move(sources);
  return scenario;
}

/// A way that changes neither model, engine nor device: what was read of them serves again.
std::optional<WayToFit> way_with(const Scenario& scenario, const ScenarioRequest& request, int context_tokens,
                                 int batch_size, std::string text) {
  try {
    if (scenario_of(request, scenario.sources).planner->fits(context_tokens, batch_size))
      return WayToFit{std::move(text)};
  } catch (const Error&) {
    return std::nullopt;  // a layout the model cannot be cut into is no way
  }
  return std::nullopt;
}

/// In the order people try them: fewer sequences, a narrower cache, narrower weights, more devices.
std::vector<WayToFit> ways_to_fit(const Scenario& scenario, int context_tokens, int batch_size) {
  constexpr std::size_t kMostWays = 3;
  std::vector<WayToFit> ways;
  const auto add = [&](std::optional<WayToFit> way) {
    if (way && ways.size() < kMostWays) ways.push_back(std::move(*way));
  };
  if (const auto batch = scenario.planner->max_batch(context_tokens))
    add(WayToFit{fmt::format("batch {}", viewmodel::format_count(*batch))});
  if (const auto context = scenario.planner->max_context(batch_size); context && *context < context_tokens)
    add(WayToFit{fmt::format("{} tokens", viewmodel::format_count(*context))});
  ScenarioRequest request = scenario.request;
  request.cache = "fp8";
  add(way_with(scenario, request, context_tokens, batch_size, "FP8 KV cache"));
  request.weights = "fp8";
  add(way_with(scenario, request, context_tokens, batch_size, "FP8 weights and KV cache"));
  request.weights = "awq";
  add(way_with(scenario, request, context_tokens, batch_size, "INT4 weights and FP8 KV cache"));
  request = scenario.request;
  for (int factor = 2; factor <= 8; factor *= 2) {
    request.layout.tensor_parallel = scenario.request.layout.tensor_parallel * factor;
    auto way =
        way_with(scenario, request, context_tokens, batch_size, fmt::format("TP {}", request.layout.tensor_parallel));
    if (!way) continue;
    add(std::move(way));
    break;
  }
  return ways;
}

}  // namespace

Scenario find_scenario(const ScenarioRequest& request) {
  return scenario_of(request, std::make_shared<const ScenarioSources>(find_sources(request)));
}

ScenarioPlan plan_scenario(const Scenario& scenario, int context_tokens, int batch_size) {
  require_size("--batch", batch_size);
  require_context(scenario.model(), context_tokens);
  const MemoryPlanner& planner = *scenario.planner;
  ScenarioPlan plan;
  plan.scenario = scenario;
  plan.context_tokens = context_tokens;
  plan.batch_size = batch_size;
  plan.memory = planner.at(context_tokens, batch_size);
  plan.segments = planner.segments(context_tokens, batch_size);
  note_batch(plan);
  if (!scenario.has_device) return plan;
  plan.fits = planner.fits(context_tokens, batch_size);
  plan.fit_probability = fit_probability(planner, context_tokens, batch_size);
  plan.max_context = planner.max_context(batch_size);
  plan.max_batch = planner.max_batch(context_tokens);
  if (!plan.fits) plan.ways = ways_to_fit(scenario, context_tokens, batch_size);
  return plan;
}

ScenarioSweep sweep_scenario(const Scenario& scenario, std::vector<int> contexts, std::vector<int> batches) {
  if (contexts.size() * batches.size() > kMostCells)
    throw Error(ErrorKind::kUsage, "--sweep",
                fmt::format("{} × {} combinations are more than {}.", contexts.size(), batches.size(),
                            viewmodel::format_count(kMostCells)),
                "Use fewer contexts or batches.");
  for (const int batch : batches) require_size("--batch", batch);
  for (const int context : contexts) require_context(scenario.model(), context);
  ScenarioSweep sweep{scenario, std::move(contexts), std::move(batches), {}};
  sweep.cells.reserve(sweep.contexts.size() * sweep.batches.size());
  for (const int batch : sweep.batches)
    for (const int context : sweep.contexts) sweep.cells.push_back(scenario.planner->at(context, batch));
  return sweep;
}

}  // namespace dachlast
