#include "core/planner/row_scenario.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/error.h"
#include "core/planner/load_overhead.h"

namespace dachlast {
namespace {

/// vLLM kept the keys and values of all heads until 0.7, as wide as its kernels had them.
/// Source   vllm-project/vllm PR 10927 (MLA models with heads padded to 256), PR 12601 (MLA, 0.7.1)
constexpr const char* kFirstWithMla = "0.7";
constexpr int kPaddedHeadDim = 256;

/// Without chunked prefill a step holds a whole prompt: the engine V0, the default before 0.8.
/// Source   vllm-project/vllm:vllm/config.py of 0.6 (SchedulerConfig.__post_init__)
constexpr const char* kFirstChunked = "0.8";
constexpr int kLeastBatchedTokens = 2048;

/// Contexts beyond 32 k were cut into chunks of 512 by default from 0.5.4 on.
/// Source   vllm-project/vllm PR 6666; vllm/engine/arg_utils.py of 0.6 (create_engine_config), vllm/config.py (512)
constexpr const char* kFirstLongChunked = "0.5";
constexpr int kLongContext = 32768;
constexpr int kLongContextChunk = 512;

/// What the driver keeps of the memory it lists ("Reserved" of nvidia-smi -q): frameworks see 79.18 of the 79.65 GiB of an
/// H100, 44.42 of 44.99 of an L40S, 23.58 of 24.00 of an RTX 3090.
constexpr double kDriverReserve = 0.47 * kGiB;

/// Version "0.10" lies after "0.9".
std::pair<int, int> version_number(const std::string& version) {
  int major = 0;
  int minor = 0;
  const std::size_t dot = version.find('.');
  const auto digits = [](std::string_view text) {
    int value = 0;
    for (const char c : text) {
      if (c < '0' || c > '9' || value > 1000) break;
      value = 10 * value + (c - '0');
    }
    return value;
  };
  major = digits(version);
  if (dot != std::string::npos) minor = digits(std::string_view(version).substr(dot + 1));
  return {major, minor};
}

bool older_than(const RowEngine& engine, const char* version) {
  return engine.id == "vllm" && !engine.version.empty() && version_number(engine.version) < version_number(version);
}

bool has_latents(const ModelSpec& model) {
  return std::ranges::any_of(model.layers, [](const LayerSpec& l) { return std::holds_alternative<MlaSpec>(l.mixer); });
}

int at_most_int(std::int64_t value) {
  return static_cast<int>(std::min<std::int64_t>(value, std::numeric_limits<int>::max()));
}

/// No graphs where they are switched off; weight-only kernels pad as on devices that have no others.
void settle_kernels(RowScenario& scenario) {
  if (scenario.notes.eager) scenario.engine.graphs.reset();
  if (!scenario.notes.marlin || !scenario.engine.mxfp4_padding) return;
  std::erase_if(scenario.engine.mxfp4_padding->value,
                [](const ExpertPadding& row) { return !row.architecture_has.empty(); });
}

void read_device(const MemoryKvRow& row, RowCatalog& catalog, RowScenario& scenario) {
  RowDevice words = read_device_words(row.gpu);
  if (row.gpu_total_gib) words.reported_gib = row.gpu_total_gib;
  if (const auto known = catalog.device(words)) {
    scenario.device = *known->spec;
    if (!known->assumption.empty()) scenario.assumptions.push_back(known->assumption);
    scenario.capacity = capacity_for_frameworks(*known->spec);
  }
  if (words.reported_gib) scenario.capacity = Bytes{*words.reported_gib * kGiB};
}

void read_limits(const MemoryKvRow& row, const RowEngine& engine, RowScenario& scenario) {
  scenario.limits.memory_fraction = row.gpu_mem_util;
  scenario.limits.block_tokens = row.block_size ? row.block_size : scenario.notes.block_tokens;
  scenario.limits.max_num_seqs = scenario.notes.max_num_seqs;
  scenario.limits.max_num_batched_tokens = scenario.notes.max_num_batched_tokens;
  if (!older_than(engine, kFirstChunked) || scenario.limits.max_num_batched_tokens) return;
  const int context = context_of(scenario, row.max_model_len);
  const bool chunked = !older_than(engine, kFirstLongChunked) && context > kLongContext;
  scenario.limits.max_num_batched_tokens = chunked ? kLongContextChunk : std::max(kLeastBatchedTokens, context);
}

/// A type that is not known leaves the rest of the row readable.
void read_types(const MemoryKvRow& row, const KnownModel& known, RowScenario& scenario) {
  const auto weights = row_weights(row.model, row.dtype, known.own_weights);
  if (!weights) scenario.unknown_weights = fmt::format("the weight type \"{}\" is not known", row.dtype);
  scenario.weights = weights.value_or(RowWeights{.format = known.own_weights});
  if (!scenario.weights.assumption.empty()) scenario.assumptions.push_back(scenario.weights.assumption);
  const auto cache = row_cache(row.kv_dtype);
  if (!cache) scenario.unknown_cache = fmt::format("the cache type \"{}\" is not known", row.kv_dtype);
  scenario.cache = cache.value_or(*cache_format("bf16"));
}

/// What the checkpoint and the engine of the row's time did otherwise.
void adapt_model(const RowEngine& engine, RowScenario& scenario) {
  if (scenario.notes.n_kv_heads) set_kv_heads(scenario.model, *scenario.notes.n_kv_heads);
  if (scenario.notes.drafter) load_drafter(scenario.model);
  if (scenario.weights.ends_in_16_bits)
    scenario.counted_weights = Bytes{total_weight_bytes(scenario.model, scenario.weights, scenario.cache)};
  if (older_than(engine, kFirstWithMla) && has_latents(scenario.model)) {
    // The weights stay those of MLA.
    scenario.counted_weights = Bytes{total_weight_bytes(scenario.model, scenario.weights, scenario.cache)};
    store_latents_as_heads(scenario.model, kPaddedHeadDim);
    scenario.assumptions.push_back("vLLM before 0.7 caches the heads of MLA, padded to 256");
  }
}

std::vector<KvDemand> kv_demands(const RowScenario& s) {
  std::vector<KvDemand> demands;
  const int block = s.limits.block_tokens.value_or(s.engine.block_size_tokens ? s.engine.block_size_tokens->value : 1);
  std::optional<int> batched = s.limits.max_num_batched_tokens;
  if (!batched && s.device)
    if (const auto defaults = batch_defaults_for(s.engine, *s.device, s.layout.tensor_parallel))
      batched = defaults->max_num_batched_tokens;
  for (const RankLoad& rank : rank_loads(s.model, s.weights.format, s.cache, s.layout))
    demands.emplace_back(rank, profile_for(s.engine, s.model.architecture), block,
                         batched.value_or(kLeastBatchedTokens));
  return demands;
}

}  // namespace

void set_kv_heads(ModelSpec& model, int n_kv_heads) {
  for (LayerSpec& layer : model.layers)
    if (auto* attention = std::get_if<AttentionSpec>(&layer.mixer)) attention->n_kv_heads = n_kv_heads;
}

void store_latents_as_heads(ModelSpec& model, int head_dim) {
  for (LayerSpec& layer : model.layers)
    if (const auto* latent = std::get_if<MlaSpec>(&layer.mixer)) {
      AttentionSpec heads;
      heads.n_heads = latent->n_heads;
      heads.n_kv_heads = latent->n_heads;
      heads.head_dim = std::max(head_dim, latent->qk_head_dim());
      layer.mixer = heads;
    }
}

void load_drafter(ModelSpec& model) {
  if (!model.mtp) return;
  model.layers.insert(model.layers.end(), model.mtp->layers.begin(), model.mtp->layers.end());
}

int context_of(const RowScenario& scenario, std::optional<std::int64_t> max_model_len) {
  return max_model_len && *max_model_len > 0 ? at_most_int(*max_model_len) : scenario.model.max_context;
}

std::optional<Bytes> capacity_for_frameworks(const DeviceSpec& device) {
  const MemoryPool& pool = device.main_memory();
  if (!pool.capacity || pool.kind != PoolKind::kDevice || pool.basis != CapacityBasis::kReported) return pool.capacity;
  return Bytes{pool.capacity->value - kDriverReserve};
}

double RowScenario::loaded_bytes() const {
  const double counted =
      counted_weights ? counted_weights->value / total_weight_bytes(model, {.format = weights.format}, cache) : 1.0;
  double most = 0.0;
  for (const RankLoad& rank : rank_loads(model, weights.format, cache, layout)) {
    const LoadOverhead overhead =
        load_overhead(model, weights.format, layout, engine, device.value_or(DeviceSpec{}), rank.stage);
    most = std::max(most, counted * rank.weight_bytes + overhead.total());
  }
  return most;
}

double RowScenario::kv_tokens_in(double room_bytes, int max_model_len) const {
  double tokens = std::numeric_limits<double>::infinity();
  for (const KvDemand& demand : kv_demands(*this))
    tokens = std::min(tokens, demand.tokens_in(room_bytes, max_model_len));
  return tokens;
}

double RowScenario::growing_bytes_per_token() const {
  double bytes = 0.0;
  for (const KvDemand& demand : kv_demands(*this)) bytes += demand.growing_bytes_per_token();
  return bytes;
}

std::optional<MemoryPlanner> RowScenario::planner() const {
  if (!capacity) return std::nullopt;
  PlanScenario plan;
  plan.model = model;
  plan.weights = weights.format;
  plan.cache = cache;
  if (device) plan.device = *device;
  plan.layout = layout;
  plan.engine = engine;
  plan.limits = limits;
  plan.counted_weights = counted_weights;
  plan.gguf_types = gguf_types;
  plan.capacity = capacity;
  return MemoryPlanner(std::move(plan));
}

RowReading read_scenario(const MemoryKvRow& row, RowCatalog& catalog) {
  const KnownModel* known = catalog.model(row.model);
  if (known == nullptr) return {std::nullopt, fmt::format("no known config is of \"{}\"", row.model)};
  RowScenario scenario;
  scenario.model = known->spec;
  read_types(row, *known, scenario);
  scenario.notes = read_notes(row.source.notes);
  scenario.layout.tensor_parallel = row.tp.value_or(1);
  scenario.layout.pipeline_parallel = row.pp.value_or(1);
  scenario.layout.attention_data_parallel = scenario.notes.data_parallel;
  if (scenario.notes.whole_experts) scenario.layout.experts = ExpertPlacement::kWhole;
  const RowEngine engine = row_engine("", "", row.source, row.gpu_mem_util);
  scenario.engine = catalog.engine(engine);
  scenario.engine_name = engine.name;
  if (!engine.assumption.empty()) scenario.assumptions.push_back(engine.assumption);
  settle_kernels(scenario);
  adapt_model(engine, scenario);
  read_device(row, catalog, scenario);
  read_limits(row, engine, scenario);
  require_shardable(scenario.model, scenario.layout);
  return {std::move(scenario), {}};
}

}  // namespace dachlast
