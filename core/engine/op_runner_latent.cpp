// Multi-head latent attention: the cache holds a latent and a rotated key a token, which all heads share.
#include "core/engine/latent_heads.h"
#include "core/engine/op_runner.h"
#include "kernels/latent.h"

namespace dachlast {

void OpRunner::attend_to_latents(const Op& op, const MlaSpec& a) {
  const auto& shape = std::get<WideAttentionShape>(op.shape);
  const bool rebuilt = kernels::rebuilt_elements(shape) > 0.0;
  attend(op, rebuilt ? rebuilt_call(op, a) : latent_call(op, a), kernels::sizes_of(shape));
}

/// Queries from their latents, or the up projection of keys and values.
void OpRunner::latent_up(const Op& op) {
  if (const auto* by_heads = std::get_if<HeadLinearShape>(&op.shape))
    return raise_latents(op, *by_heads, *latent_of(op));
  if (op.weight == WeightRole::kKvUp) return rebuild(op, std::get<LinearShape>(op.shape), *latent_of(op));
  linear(op, std::get<LinearShape>(op.shape));
}

/// K and V of all heads and cached tokens, sequence after sequence.
void OpRunner::rebuild(const Op& op, const LinearShape& shape, const MlaSpec& a) {
  const kernels::LatentHeads heads = latent_heads_of(a);
  const kernels::KvView view = cache_.view(op.layer);
  rebuilt_tables_.resize(view.sequences.size());
  rebuilt_sequences_.assign(view.sequences.begin(), view.sequences.end());
  for (std::size_t i = 0; i < view.sequences.size(); ++i) {
    const kernels::KvSequence& sequence = view.sequences[i];
    rebuilt_tables_[i] = static_cast<std::int32_t>(i);
    rebuilt_sequences_[i].blocks = std::span(rebuilt_tables_).subspan(i, 1);
    rebuilt_sequences_[i].tail = {};
    const std::span<float> read = memory_.floats(Buffer::kLatent);  // the step's own are in the cache by now
    const kernels::LatentRows rows{
        read, read.subspan(static_cast<std::size_t>(sequence.kv_len) * static_cast<std::size_t>(a.kv_lora_rank))};
    pool_.parallel_for(sequence.kv_len, 64, [&](IndexRange slots, int thread) {
      kernels::read_latents(view.pool, sequence, heads, rows, memory_.scratch(thread), slice_of(slots));
    });
    Op one = op;
    one.shape = LinearShape{sequence.kv_len, shape.n, shape.k, shape.weight_dtype};
    linear(one, std::get<LinearShape>(one.shape));
    const kernels::MutableKvPool pool = rebuilt_pool(a, view);
    pool_.parallel_for(sequence.kv_len, 16, [&](IndexRange slots, int) {
      kernels::join_heads(heads, memory_.floats(op.out), rows.keys, pool, static_cast<int>(i), slice_of(slots));
    });
  }
}

/// Blocks of the longest of the step's sequences, one for each.
kernels::MutableKvPool OpRunner::rebuilt_pool(const MlaSpec& a, const kernels::KvView& view) const {
  int n_slots = 0;
  for (const kernels::KvSequence& sequence : view.sequences) n_slots = std::max(n_slots, sequence.kv_len);
  const kernels::KvLayout layout = kernels::rebuilt_layout(latent_heads_of(a), view.pool.layout.format, n_slots);
  const std::size_t n_heads = view.sequences.size() * static_cast<std::size_t>(a.n_heads);
  const std::size_t k_bytes = n_heads * head_key_bytes(layout);
  const std::size_t v_first = (k_bytes + 63) / 64 * 64;
  return {.layout = layout,
          .k = memory_.rebuilt().first(k_bytes),
          .v = memory_.rebuilt().subspan(v_first, n_heads * head_value_bytes(layout)),
          .k_scales = {},
          .v_scales = {}};
}

kernels::AttentionCall OpRunner::rebuilt_call(const Op& op, const MlaSpec& a) {
  const kernels::MutableKvPool pool = rebuilt_pool(a, cache_.view(op.layer));
  kernels::AttentionCall call = latent_call(op, a);
  call.q_stride = a.n_heads * a.qk_head_dim();
  call.kv = {.pool = {.layout = pool.layout, .k = pool.k, .v = pool.v, .k_scales = {}, .v_scales = {}},
             .sequences = rebuilt_sequences_};
  return call;
}

/// Rows of the cache as the step's tokens are about to write them, behind the latents of all queries.
std::span<float> OpRunner::new_latents(const MlaSpec& a) const {
  return memory_.floats(Buffer::kLatent)
      .subspan(static_cast<std::size_t>(step_.n_tokens()) * static_cast<std::size_t>(a.q_lora_rank));
}

void OpRunner::norm_latents(const Op& op, const MlaSpec& a) {
  auto* kernel = kernels::first_supported(kernels::norm_variants()).run;
  const auto n_tokens = static_cast<int>(step_.n_tokens());
  const auto norm = [&](std::span<float> rows, int width, int stride, WeightRole role) {
    const NormShape shape{n_tokens, width, NormKind::kRms};
    const std::span<const float> w = weights_.norm(role, op.layer);
    spread(n_tokens, width, 1,
           [&](kernels::Slice slice) { kernel(shape, kLatentNorm, rows, stride, w, {}, rows, stride, slice); });
  };
  if (a.q_lora_rank > 0) norm(memory_.floats(Buffer::kLatent), a.q_lora_rank, a.q_lora_rank, WeightRole::kQDown);
  norm(new_latents(a), a.kv_lora_rank, a.latent_width(), WeightRole::kKvDown);
}

void OpRunner::rotate_latents(const Op& op, const MlaSpec& a) {
  auto* kernel = kernels::first_supported(kernels::rope_variants()).run;
  const int q_width = a.n_heads * a.qk_head_dim(), k_width = a.latent_width();
  spread_by_sequence(1.0 * (a.n_heads + 1) * a.qk_rope_head_dim, [&](const Entry& entry, kernels::Slice tokens) {
    const RopeTables::Table table = rope_tables_.of_layer(op.layer).from(entry.first_position);
    const auto first = static_cast<std::size_t>(entry.first_row);
    const auto rotate = [&](std::span<float> rows, int stride, int n_heads, int head_dim) {
      const RopeShape shape{entry.q_len, n_heads, head_dim, a.qk_rope_head_dim, a.rope.pairs};
      kernel(shape, rows, stride, table.cos, table.sin, tokens);
    };
    const auto behind = [](std::size_t row, int width, int column) {
      return row * static_cast<std::size_t>(width) + static_cast<std::size_t>(column);
    };
    rotate(memory_.floats(Buffer::kQkv).subspan(behind(first, q_width, a.qk_nope_head_dim)), q_width, a.n_heads,
           a.qk_head_dim());
    rotate(new_latents(a).subspan(behind(first, k_width, a.kv_lora_rank)), k_width, 1, a.qk_rope_head_dim);
  });
}

void OpRunner::write_latents(const Op& op, const MlaSpec& a) {
  cache_.enter_layer(op.layer);
  const auto store = [&](const Entry& entry, kernels::Slice tokens) {
    kernels::KvTarget target = cache_.target(op.layer, entry.index);
    target.first_slot += tokens.begin;
    if (!target.slots.empty()) target.slots = target.slots.subspan(static_cast<std::size_t>(tokens.begin));
    const std::size_t row = static_cast<std::size_t>(entry.first_row) + static_cast<std::size_t>(tokens.begin);
    kernels::store_kv(target, new_latents(a).subspan(row * static_cast<std::size_t>(a.latent_width())), {},
                      a.latent_width(), tokens.end - tokens.begin, {0, 1});
  };
  if (options_.precision.kv.key_scales == KeyScales::kPerToken) return spread_by_sequence(a.latent_width(), store);
  // Scales along channels need the tokens one after the other.
  for (const Entry& entry : entries_) store(entry, {0, entry.q_len});
}

/// The keys' part of the up projection before attention, the values' part behind it.
void OpRunner::raise_latents(const Op& op, const HeadLinearShape& shape, const MlaSpec& a) {
  const kernels::LatentHeads heads = latent_heads_of(a);
  const kernels::WeightSpan w = plain_rows(weights_.matrix(op.weight, op.layer));
  const std::span<const float> in = memory_.floats(op.in);
  const std::span<float> out = memory_.floats(op.out);
  const bool absorbs = shape.n_copied > 0;
  const double elements = 1.0 * shape.n_tokens * shape.n * shape.k;
  spread(a.n_heads, elements, 1, [&](kernels::Slice slice) {
    if (absorbs)
      kernels::first_supported(kernels::absorb_queries_variants()).run(heads, shape.n_tokens, in, w, out, slice);
    else
      kernels::first_supported(kernels::raise_values_variants()).run(heads, shape.n_tokens, in, w, out, slice);
  });
}

kernels::AttentionCall OpRunner::latent_call(const Op& op, const MlaSpec& a) {
  return {.n_heads = a.n_heads,
          .rule = {static_cast<float>(a.scale), 0.0f},
          .mask = {.window = a.window, .n_sinks = a.n_sink_tokens},
          .q = memory_.floats(op.in),
          .q_stride = a.n_heads * a.latent_width(),
          .kv = cache_.view(op.layer),
          .out = memory_.floats(op.out),
          .states = memory_.states()};
}

}  // namespace dachlast
