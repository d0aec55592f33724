#include "core/planner/kv_break_even.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/model/layer_cache.h"
#include "kernels/cost.h"
#include "kernels/kv_view.h"

namespace dachlast {
namespace {

int chunks_of(const KvReturn& question, int n_tokens) {
  return (n_tokens + question.chunk_tokens - 1) / question.chunk_tokens;
}

/// Of the widest layer: narrower ones move less.
Bytes chunk_of(const ModelSpec& model, const KvStorage& storage, int chunk_tokens) {
  double bytes = 0.0;
  for (const LayerSpec& layer : model.layers) {
    const LayerCache cache = layer_cache(layer);
    if (cache.n_kv_heads == 0) continue;
    const kernels::KvLayout layout{.format = storage.format,
                                   .key_scales = storage.key_scales,
                                   .n_kv_heads = cache.n_kv_heads,
                                   .block_size = chunk_tokens,
                                   .head_dim = static_cast<int>(cache.k_elements_per_token) / cache.n_kv_heads,
                                   .value_dim = static_cast<int>(cache.v_elements_per_token) / cache.n_kv_heads};
    bytes = std::max(bytes, static_cast<double>(kernels::block_bytes(layout)));
  }
  return Bytes{bytes};
}

struct LayerWork {
  Flops attention;
  Flops rest;
};

/// Of the layers in a step of one token that is alone.
LayerWork work_of_a_token(const ModelSpec& model, const Precision& precision) {
  LayerWork work;
  for (const Op& op : build_op_list(model, {Phase::kPrefill, 1, 1, 1}, precision))
    if (op.layer >= 0) (op.kind == OpKind::kAttention ? work.attention : work.rest) += kernels::op_cost(op.shape).flops;
  return work;
}

}  // namespace

TierRates tier_rates(Seconds latency, BytesPerSecond bandwidth, Bytes chunk) {
  return {.per_layer = latency, .per_chunk = chunk / bandwidth};
}

KvReturn kv_return(const ModelSpec& model, const Precision& precision, int chunk_tokens) {
  if (chunk_tokens < 1)
    throw Error(ErrorKind::kUsage, "chunk", fmt::format("{} tokens cannot be moved.", chunk_tokens), "Give 1 or more.");
  const LayerWork work = work_of_a_token(model, precision);
  return {.n_layers = static_cast<int>(model.layers.size()),
          .chunk_tokens = chunk_tokens,
          .chunk = chunk_of(model, precision.kv, chunk_tokens),
          .tier = {},
          .per_token = work.rest,
          .per_pair = work.attention,
          .compute = {}};
}

Seconds fetch_time(const KvReturn& question, int n_tokens) {
  return question.n_layers * (question.tier.per_layer + chunks_of(question, n_tokens) * question.tier.per_chunk);
}

Flops recompute_work(const KvReturn& question, int n_tokens) {
  const double n = n_tokens;
  return question.per_token * n + question.per_pair * (n * (n + 1.0) / 2.0);
}

Seconds recompute_time(const KvReturn& question, int n_tokens) {
  return recompute_work(question, n_tokens) / question.compute;
}

std::optional<int> fetch_is_faster_at(const KvReturn& question, int max_tokens) {
  const auto faster = [&](int n) { return fetch_time(question, n) < recompute_time(question, n); };
  // Whole chunks give a fetch its best: from one to the next computing grows steadily, fetching at once.
  for (int end = std::min(question.chunk_tokens, max_tokens);;
       end = std::min(end + question.chunk_tokens, max_tokens)) {
    if (faster(end)) {
      int slow = end - 1 - (end - 1) % question.chunk_tokens, fast = end;  // within one chunk the order changes once
      while (fast - slow > 1) {
        const int middle = slow + (fast - slow) / 2;
        (faster(middle) ? fast : slow) = middle;
      }
      return fast;
    }
    if (end >= max_tokens) return std::nullopt;
  }
}

std::optional<BytesPerSecond> break_even_bandwidth(const KvReturn& question, int n_tokens) {
  const Seconds room = recompute_time(question, n_tokens) - question.n_layers * question.tier.per_layer;
  if (room.value <= 0.0) return std::nullopt;
  return question.chunk * (1.0 * question.n_layers * chunks_of(question, n_tokens)) / room;
}

Seconds fetching_step(const KvReturn& question, Seconds kept, int n_tokens) {
  const Seconds fetch = fetch_time(question, n_tokens);
  return std::max(kept, fetch) + fetch / question.n_layers;
}

Seconds recomputing_step(const KvReturn& question, Seconds kept, int n_tokens) {
  return kept + recompute_time(question, n_tokens);
}

}  // namespace dachlast
