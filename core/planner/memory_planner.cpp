#include "core/planner/memory_planner.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/planner/kept_pictures.h"
#include "core/planner/load_overhead.h"

namespace dachlast {
namespace {

/// For engines whose profile says nothing: a model written for PyTorch, the logits once in FP32.
constexpr double kPlainLogitBytes = 4;
constexpr int kPlainBatchedTokens = 512;

void require_positive(std::string_view name, std::optional<int> value) {
  if (value.value_or(1) > 0) return;
  throw Error(ErrorKind::kUsage, std::string(name), fmt::format("{} is not a positive number.", *value),
              "Give 1 or more.");
}

double capacity_of(const PlanScenario& scenario) {
  if (scenario.capacity) return scenario.capacity->value;
  const auto capacity = scenario.device.main_memory().capacity;
  if (!capacity)
    throw Error(ErrorKind::kInput, scenario.device.name, "its data file states no memory capacity.",
                "Give a device file that does.");
  return capacity->value;
}

}  // namespace

MemoryPlanner::MemoryPlanner(PlanScenario scenario) : scenario_(std::move(scenario)) {
  if (!scenario_.engine.buffers) scenario_.engine.buffers = Fact<BufferRules>{};
  if (!scenario_.engine.sampler) scenario_.engine.sampler = Fact<SamplerRule>{{kPlainLogitBytes, 0.0}, "", ""};
  scenario_.engine = profile_for(std::move(scenario_.engine), scenario_.model.architecture);
  capacity_ = capacity_of(scenario_);
  settle_limits();
  settle_gguf();
  settle_stages();
  settle_budget();
}

void MemoryPlanner::settle_limits() {
  const EngineLimits& given = scenario_.limits;
  require_positive("--max-num-seqs", given.max_num_seqs);
  require_positive("--max-batched-tokens", given.max_num_batched_tokens);
  require_positive("--block-size", given.block_tokens);
  const auto defaults = batch_defaults_for(scenario_.engine, scenario_.device, scenario_.layout.tensor_parallel);
  const auto default_seqs = defaults ? defaults->max_num_seqs : std::nullopt;
  const auto default_tokens = defaults ? defaults->max_num_batched_tokens : std::nullopt;
  limits_.max_num_batched_tokens = given.max_num_batched_tokens.value_or(default_tokens.value_or(kPlainBatchedTokens));
  limits_.max_num_seqs =
      std::min(given.max_num_seqs.value_or(default_seqs.value_or(256)), limits_.max_num_batched_tokens);
}

/// llama.cpp places a GGUF file's tensors by rules of its own; what any other engine loads of it is their sum.
void MemoryPlanner::settle_gguf() {
  if (!scenario_.gguf_types) return;
  const bool is_llamacpp = scenario_.engine.id == "llama.cpp";
  if (scenario_.counted_weights && !is_llamacpp) return;
  GgufWeights weights = scenario_.gguf_file
                            ? *scenario_.gguf_file
                            : gguf_weights(gguf_shape(scenario_.model), *scenario_.gguf_types, LatentMatrices::kSplit);
  scenario_.counted_weights = Bytes{static_cast<double>(weights.bytes())};
  if (is_llamacpp)
    llamacpp_.emplace(scenario_.model, std::move(weights), scenario_.cache, scenario_.layout.n_devices(),
                      limits_.max_num_batched_tokens);
}

void MemoryPlanner::settle_stages() {
  std::vector<RankLoad> ranks = rank_loads(scenario_.model, scenario_.weights, scenario_.cache, scenario_.layout);
  if (scenario_.counted_weights) {
    // The file knows the sum, the layout the shares.
    double modelled = 0.0;
    for (const RankLoad& rank : rank_loads(scenario_.model, scenario_.weights, scenario_.cache, Layout{}))
      modelled += rank.weight_bytes;
    for (RankLoad& rank : ranks) rank.weight_bytes *= scenario_.counted_weights->value / modelled;
  }
  const EngineProfile& engine = scenario_.engine;
  forward_ = forward_peak(scenario_.model, engine.buffers->value, scenario_.layout, limits_.max_num_batched_tokens);
  activations_ = forward_.bytes + kept_pictures(scenario_.model, engine, limits_.max_num_batched_tokens);
  workspace_ = workspace_bytes(scenario_.model, engine, scenario_.device, limits_, forward_);
  const auto outside = non_torch_memory(engine, scenario_.device.architecture, scenario_.layout.tensor_parallel);
  runtime_ = outside ? outside->value : 0.0;
  if (engine.graphs && engine.graph_budget && engine.graph_budget->value == BudgetPart::kInside)
    runtime_ += engine.graphs->value.value;
  const int block =
      scenario_.limits.block_tokens.value_or(engine.block_size_tokens ? engine.block_size_tokens->value : 1);
  for (const RankLoad& rank : ranks) {
    const double loading =
        load_overhead(scenario_.model, scenario_.weights, scenario_.layout, engine, scenario_.device, rank.stage)
            .total();
    // Only the last stage samples.
    const double workspace = &rank == &ranks.back() ? workspace_ : 0.0;
    stages_.push_back({.fixed = rank.weight_bytes + loading + activations_ + workspace + runtime_,
                       .weights = rank.weight_bytes,
                       .workspace = workspace,
                       .loading = loading,
                       .kv = KvDemand(rank, engine, block, limits_.max_num_batched_tokens)});
  }
}

void MemoryPlanner::settle_budget() {
  const EngineProfile& engine = scenario_.engine;
  const auto defaults = batch_defaults_for(engine, scenario_.device, scenario_.layout.tensor_parallel);
  const FractionRequest request{.capacity_gib = capacity_ / kGiB,
                                .tp = scenario_.layout.tensor_parallel,
                                .pp = scenario_.layout.pipeline_parallel,
                                .batched_tokens = limits_.max_num_batched_tokens,
                                .graph_batch = defaults ? defaults->graph_batch.value_or(0) : 0};
  fraction_ = scenario_.limits.memory_fraction.value_or(default_memory_fraction(engine, request).value_or(1.0));
  if (!scenario_.limits.memory_fraction && !(fraction_ > 0.0))
    throw Error(ErrorKind::kDoesNotFit, scenario_.device.name,
                fmt::format("what {} keeps free for its steps is more than its memory.", engine.name),
                "Lower --max-batched-tokens, or give --memory-fraction.");
  if (!(fraction_ > 0.0) || fraction_ > 1.0)
    throw Error(ErrorKind::kUsage, "--memory-fraction", fmt::format("{} is not between 0 and 1.", fraction_),
                "Give the share of the device's memory the engine may take, as in 0.9.");
  budget_ = fraction_ * capacity_;
  const double fullest_weights = loaded_bytes();
  const double beside = activations_ + workspace_ + runtime_;
  if (engine.budget.value == BudgetRule::kFractionOfFree)
    budget_ = fullest_weights + beside + fraction_ * std::max(0.0, capacity_ - fullest_weights - beside);
  // What libraries take at the start is not free any more when the fraction is taken.
  if (engine.budget.value == BudgetRule::kStaticFraction)
    budget_ = std::min(capacity_, fraction_ * std::max(0.0, capacity_ - runtime_) + beside);
}

/// Sequences are shared out over the groups of attention data parallelism.
int MemoryPlanner::sequences_per_group(int batch_size) const {
  const int groups = scenario_.layout.attention_data_parallel;
  return batch_size / groups + (batch_size % groups != 0 ? 1 : 0);
}

double MemoryPlanner::cache_bytes(const Stage& stage, int context_tokens, int batch_size) const {
  return stage.kv.bytes_per_sequence(context_tokens) * sequences_per_group(batch_size);
}

const MemoryPlanner::Stage& MemoryPlanner::fullest(int context_tokens, int batch_size) const {
  const Stage* worst = &stages_.front();
  double most = -1.0;
  for (const Stage& stage : stages_) {
    const double bytes = stage.fixed + cache_bytes(stage, context_tokens, batch_size);
    if (bytes > most) worst = &stage;
    most = std::max(most, bytes);
  }
  return *worst;
}

DeviceMemory MemoryPlanner::at(int context_tokens, int batch_size) const {
  if (llamacpp_) return llamacpp_->at(context_tokens, batch_size);
  const Stage& stage = fullest(context_tokens, batch_size);
  return {stage.weights, cache_bytes(stage, context_tokens, batch_size), activations_, stage.workspace,
          runtime_ + stage.loading};
}

std::optional<int> MemoryPlanner::max_context(int batch_size) const {
  const int limit = scenario_.model.max_context;
  if (fits(limit, batch_size)) return limit;
  const int block = stages_.front().kv.block_tokens();
  int fitting = 0;  // in blocks
  int failing = limit / block + 1;
  while (failing - fitting > 1) {
    const int middle = fitting + (failing - fitting) / 2;
    (fits(std::min(middle * block, limit), batch_size) ? fitting : failing) = middle;
  }
  if (fitting == 0) return std::nullopt;
  return std::min(fitting * block, limit);
}

std::optional<int> MemoryPlanner::max_batch(int context_tokens) const {
  if (!fits(context_tokens, 1)) return std::nullopt;
  int fitting = 1;
  int failing = kMostSequences + 1;
  while (failing - fitting > 1) {
    const int middle = fitting + (failing - fitting) / 2;
    (fits(context_tokens, middle) ? fitting : failing) = middle;
  }
  return fitting;
}

double MemoryPlanner::loaded_bytes() const {
  double most = 0.0;
  for (const Stage& stage : stages_) most = std::max(most, stage.weights + stage.loading);
  return most;
}

double MemoryPlanner::kv_room() const {
  double room = budget_;
  for (const Stage& stage : stages_) room = std::min(room, budget_ - stage.fixed);
  return room;
}

double MemoryPlanner::kv_tokens(int max_model_len) const {
  double tokens = -1.0;
  for (const Stage& stage : stages_) {
    const double held = stage.kv.tokens_in(budget_ - stage.fixed, max_model_len);
    tokens = tokens < 0.0 ? held : std::min(tokens, held);
  }
  return tokens;
}

double MemoryPlanner::kv_tokens_in(double room_bytes, int max_model_len) const {
  double tokens = -1.0;
  for (const Stage& stage : stages_) {
    const double held = stage.kv.tokens_in(room_bytes, max_model_len);
    tokens = tokens < 0.0 ? held : std::min(tokens, held);
  }
  return tokens;
}

double MemoryPlanner::kv_bytes_per_token() const {
  double bytes = 0.0;
  for (const Stage& stage : stages_) bytes = std::max(bytes, stage.kv.growing_bytes_per_token());
  return bytes;
}

}  // namespace dachlast
