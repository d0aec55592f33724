#include "core/planner/rank_load.h"

#include <algorithm>
#include <cmath>

#include "core/base/nearest_name.h"
#include "core/model/layer_cache.h"

namespace dachlast {
namespace {

constexpr CacheFormat kCacheFormats[] = {
    {"f32", "FP32", 32},
    {"f16", "FP16", 16},
    {"bf16", "BF16", 16},
    {"fp8", "FP8", 8, "one scale a tensor: vllm-project/vllm:docs/features/quantization/quantized_kvcache.md"},
    {"int8", "INT8 in groups of 64", 8 + 16.0 / 64,
     "FP16 scale a group: huggingface/transformers:src/transformers/cache_utils.py"},
    {"int4", "INT4 in groups of 64", 4 + 32.0 / 64, "FP16 scale and zero point a group: likewise"},
    {"q8_0", "Q8_0", 8.5, "34 B for 32: ggml-org/ggml:src/ggml-common.h"},
    {"q4_0", "Q4_0", 4.5, "18 B for 32: ggml-org/ggml:src/ggml-common.h"},
};

/// Engines pad the vocabulary so that every rank gets whole tiles.
/// Source   vllm-project/vllm:vllm/model_executor/layers/vocab_parallel_embedding.py DEFAULT_VOCAB_PADDING_SIZE
constexpr double kVocabPadding = 64;

/// A projection of the feed-forward; all other linear ones belong to a mixer.
bool in_feed_forward(WeightRole role) {
  return role == WeightRole::kMlpUp || role == WeightRole::kMlpDown;
}

MatrixKind matrix_kind(const WeightSlot& slot) {
  switch (slot.weight_class) {
    case WeightClass::kEmbedding: return MatrixKind::kEmbedding;
    case WeightClass::kHead: return MatrixKind::kHead;
    case WeightClass::kExpert: return MatrixKind::kExpert;
    case WeightClass::kSharedExpert: return MatrixKind::kSharedExpert;
    case WeightClass::kRouter: return MatrixKind::kRouter;
    case WeightClass::kLinear:
      if (slot.owner == WeightOwner::kTower || slot.layer < 0) return MatrixKind::kOther;
      return in_feed_forward(slot.role) ? MatrixKind::kMlp : MatrixKind::kAttention;
    case WeightClass::kNorm:
    case WeightClass::kBias:
    case WeightClass::kState: return MatrixKind::kOther;
  }
  return MatrixKind::kOther;
}

double share(double count, int ranks) {
  return std::ceil(count / ranks);
}

/// Rows by KV heads: more ranks than heads keep one head each.
double kv_share(double rows, int heads, int ranks) {
  return heads > 0 && ranks > heads ? rows / heads : share(rows, ranks);
}

RankTensor rank_tensor(const WeightSlot& slot, const WeightFormat& weights, const Layout& layout) {
  const int tp = layout.tensor_parallel;
  const int expert_ranks = layout.n_expert_ranks();
  RankTensor tensor{slot, static_cast<double>(slot.rows), static_cast<double>(slot.columns),
                    static_cast<double>(slot.count), weights.format_of(matrix_kind(slot))};
  switch (slot.shard) {
    case Shard::kReplicated: break;
    case Shard::kRows: tensor.rows = share(tensor.rows, tp); break;
    case Shard::kColumns: tensor.columns = share(tensor.columns, tp); break;
    case Shard::kKvHeads: tensor.rows = kv_share(tensor.rows, slot.shard_units, tp); break;
    case Shard::kVocab:
      if (tp > 1) tensor.rows = share(std::ceil(tensor.rows / kVocabPadding) * kVocabPadding, tp);
      break;
    case Shard::kExpertRows:
    case Shard::kExpertColumns:
      if (layout.experts == ExpertPlacement::kWhole)
        tensor.count = share(tensor.count, expert_ranks);
      else
        (slot.shard == Shard::kExpertRows ? tensor.rows : tensor.columns) /= expert_ranks;
      break;
  }
  return tensor;
}

bool at_the_end(WeightRole role) {
  return role == WeightRole::kFinalNorm || role == WeightRole::kLmHead;
}

/// Embeddings and towers stand before the first layer, final norm and head behind the last; a tied head needs the embedding
/// there too.
bool on_stage(const WeightSlot& slot, const ModelSpec& model, const Layout& layout, int stage) {
  const StageLayers layers = stage_layers(layout, model.n_layers(), stage);
  if (slot.layer >= 0) return slot.layer >= layers.first && slot.layer < layers.first + layers.count;
  const bool last = stage == layout.pipeline_parallel - 1;
  if (at_the_end(slot.role)) return last;
  const bool head_too =
      slot.role == WeightRole::kTokenEmbedding && slot.part == WeightPart::kMatrix && model.tied_embeddings;
  return stage == 0 || (last && head_too);
}

double cache_bytes_per_token(const LayerCache& cache, const CacheFormat& format, int tp) {
  const double kv = cache.k_elements_per_token + cache.v_elements_per_token;
  const double share_of_kv = cache.n_kv_heads > 0 ? 1.0 / std::min(tp, cache.n_kv_heads) : 1.0;
  return (kv * share_of_kv + cache.index_elements_per_token) * format.bits / 8;
}

/// States are kept in the type of the activations, 16 bits, unless the config says otherwise.
double state_bytes(const LayerCache& cache, int tp) {
  constexpr double kActivationBytes = 2;
  const double recurrent_bytes = cache.recurrent_dtype ? size_of(*cache.recurrent_dtype) : kActivationBytes;
  return (cache.conv_state_elements * kActivationBytes + cache.recurrent_state_elements * recurrent_bytes) / tp;
}

void add_layer(const LayerCache& cache, const CacheFormat& format, int tp, RankLoad& rank) {
  if (cache.state_elements() > 0) {
    rank.state_bytes_per_sequence += state_bytes(cache, tp);
    ++rank.n_state_layers;
  }
  const double bytes = cache_bytes_per_token(cache, format, tp);
  if (!(bytes > 0)) return;
  constexpr double kBf16Bytes = 2;
  if (cache.n_kv_heads > 0)
    rank.waiting_bytes_per_sequence +=
        format.waiting_tokens * cache.k_elements_per_token / std::min(tp, cache.n_kv_heads) * kBf16Bytes;
  const auto same = std::ranges::find_if(rank.caches, [&](const CacheGroup& group) {
    return group.window == cache.window && group.bytes_per_token == bytes;
  });
  if (same == rank.caches.end())
    rank.caches.push_back({1, bytes, cache.window});
  else
    ++same->n_layers;
}

}  // namespace

const CacheFormat* cache_format(std::string_view name) {
  const auto found =
      std::ranges::find_if(kCacheFormats, [&](const CacheFormat& format) { return same_name(format.name, name); });
  return found == std::end(kCacheFormats) ? nullptr : &*found;
}

std::vector<std::string> cache_format_names() {
  std::vector<std::string> names;
  for (const CacheFormat& format : kCacheFormats) names.emplace_back(format.name);
  return names;
}

std::vector<RankTensor> rank_tensors(const ModelSpec& model, const WeightFormat& weights, const Layout& layout,
                                     int stage) {
  std::vector<WeightSlot> slots = weight_slots(model);
  for (const WeightSlot& slot : extra_weight_slots(model))
    if (slot.owner == WeightOwner::kTower) slots.push_back(slot);
  std::vector<RankTensor> tensors;
  for (const WeightSlot& slot : slots)
    if (on_stage(slot, model, layout, stage)) tensors.push_back(rank_tensor(slot, weights, layout));
  return tensors;
}

std::vector<RankLoad> rank_loads(const ModelSpec& model, const WeightFormat& weights, const CacheFormat& cache,
                                 const Layout& layout) {
  require_shardable(model, layout);
  std::vector<RankLoad> ranks;
  for (int stage = 0; stage < layout.pipeline_parallel; ++stage) {
    RankLoad& rank = ranks.emplace_back();
    rank.stage = stage;
    rank.layers = stage_layers(layout, model.n_layers(), stage);
    for (const RankTensor& tensor : rank_tensors(model, weights, layout, stage)) rank.weight_bytes += tensor.bytes();
    for (int i = rank.layers.first; i < rank.layers.first + rank.layers.count; ++i)
      add_layer(layer_cache(model.layers[static_cast<std::size_t>(i)]), cache, layout.tensor_parallel, rank);
  }
  return ranks;
}

}  // namespace dachlast
