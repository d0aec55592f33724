#include "core/memory/staged_cache.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/memory/amount_text.h"
#include "core/model/layer_cache.h"
#include "kernels/cost.h"
#include "kernels/kv_view.h"

namespace dachlast {
namespace {

constexpr int kSlots = 2;  // one layer computes, the next one comes

/// Sizes of a staged cache.
struct StageSizes {
  KvPoolShape shape;
  double n_records = 0.0;       // of a layer
  double slot = 0.0;            // bytes of the largest layer
  double largest_record = 0.0;  // bytes
  double record_sum = 0.0;      // bytes of one record of every layer
  double tails = 0.0;           // bytes
};

double record_bytes(const kernels::KvLayout& layout, KvTier tier) {
  const double unit = kv_tier_alignment(tier);
  return std::ceil(static_cast<double>(block_bytes(layout)) / unit) * unit;
}

StageSizes stage_of(const ModelSpec& model, const MemoryScenario& scenario) {
  const KvRoom room{.max_sequences = scenario.batch_size,
                    .capacity_tokens = scenario.capacity_tokens,
                    .max_step_tokens = scenario.max_step_tokens,
                    .n_blocks = scenario.kv_blocks};
  StageSizes stage{.shape = kv_pool_shape(scenario.kv, room), .n_records = kv_tier_records(scenario.kv, room)};
  const KvStorage storage = storage_of(scenario.kv, scenario.precision.kv.format);
  for (const LayerSpec& layer : model.layers) {
    const LayerCache cache = layer_cache(layer);
    if (cache.n_kv_heads == 0) continue;
    const kernels::KvLayout layout = pool_layout(cache, storage, stage.shape.block_size);
    const double record = record_bytes(layout, scenario.kv.tier);
    stage.slot = std::max(stage.slot, static_cast<double>(block_bytes(layout)) * stage.shape.n_blocks);
    stage.largest_record = std::max(stage.largest_record, record);
    stage.record_sum += record;
    stage.tails += static_cast<double>(tail_elements(layout) * sizeof(BF16)) * scenario.batch_size;
  }
  return stage;
}

std::string tier_formula(const ModelSpec& model, const MemoryScenario& scenario, const StageSizes& stage) {
  const auto n_layers = static_cast<double>(model.layers.size());
  return fmt::format("{} layers × {} blocks of {} tokens, {} each on average{}", grouped(n_layers),
                     grouped(stage.n_records), grouped(stage.shape.block_size),
                     binary_amount(Bytes{stage.record_sum / n_layers}),
                     scenario.kv.recompute_keep > 0 ? ": the newest tokens, the others are recomputed" : "");
}

double chunks(int n_tokens, int block_size) {
  return std::ceil(static_cast<double>(n_tokens) / block_size);
}

}  // namespace

kernels::KvLayout pool_layout(const LayerCache& cache, const KvStorage& storage, int block_size) {
  const bool latent = cache.v_elements_per_token == 0.0;
  return {.format = storage.format,
          .key_scales = storage.key_scales,
          .values = latent ? kernels::KvValues::kInKeys : kernels::KvValues::kOwnRows,
          .n_kv_heads = cache.n_kv_heads,
          .block_size = block_size,
          .head_dim = static_cast<int>(cache.k_elements_per_token) / cache.n_kv_heads,
          .value_dim = static_cast<int>(cache.v_elements_per_token) / cache.n_kv_heads};
}

std::vector<MemorySegment> staged_cache_segments(const ModelSpec& model, const MemoryScenario& scenario) {
  const StageSizes stage = stage_of(model, scenario);
  const double unit = kv_tier_alignment(scenario.kv.tier);
  std::string formula =
      fmt::format("{} layers in work × {} × {} tokens, {} each, and a block in transfer", kSlots,
                  grouped(stage.shape.n_blocks), grouped(stage.shape.block_size), binary_amount(Bytes{stage.slot}));
  if (stage.tails > 0.0) formula += fmt::format("; keys of last blocks in BF16 {}", binary_amount(Bytes{stage.tails}));
  std::vector<MemorySegment> segments{{.name = "KV cache",
                                       .bytes = Bytes{kSlots * stage.slot + stage.largest_record + unit + stage.tails},
                                       .origin = Origin::kExact,
                                       .formula = std::move(formula)}};
  if (scenario.kv.tier != KvTier::kFile)
    segments.push_back({.name = "KV tier in RAM",
                        .bytes = Bytes{stage.n_records * stage.record_sum},
                        .origin = Origin::kExact,
                        .formula = tier_formula(model, scenario, stage)});
  return segments;
}

Bytes kv_file_bytes(const ModelSpec& model, const MemoryScenario& scenario) {
  if (scenario.kv.tier != KvTier::kFile) return Bytes{};
  const StageSizes stage = stage_of(model, scenario);
  return Bytes{stage.n_records * stage.record_sum};
}

TierBytes offload_step_bytes(const ModelSpec& model, const MemoryScenario& scenario,
                             std::span<const SequenceLengths> sequences) {
  const StageSizes stage = stage_of(model, scenario);
  const int block = stage.shape.block_size;
  double n_read = 0.0, n_written = 0.0;
  for (const SequenceLengths& one : sequences) {
    const int n_before = one.kv_len - one.q_len;
    n_read += chunks(n_before, block);
    n_written += chunks(one.kv_len, block) - std::floor(static_cast<double>(n_before) / block);
  }
  return {Bytes{n_read * stage.record_sum}, Bytes{n_written * stage.record_sum}};
}

int recomputed_tokens(const KvSpec& spec, int n_before) {
  if (spec.recompute_keep == 0) return 0;
  return std::max(0, n_before - spec.recompute_keep) / spec.block_size * spec.block_size;
}

OpCost recompute_cost(const ModelSpec& model, const Precision& precision, int n_tokens) {
  OpCost cost;
  if (n_tokens == 0) return cost;
  for (const Op& op : build_op_list(model, {Phase::kPrefill, 1, n_tokens, n_tokens}, precision))
    if (op.layer >= 0) cost += kernels::op_cost(op.shape);
  return cost;
}

}  // namespace dachlast
