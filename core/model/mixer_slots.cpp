#include "core/model/slot_list.h"

// The tensors of each kind of mixer, as the Transformers classes define them:
// https://github.com/huggingface/transformers, src/transformers/models/*/modeling_*.py, read 2026-07.
namespace dachlast {
namespace {

void append_qk_norm(const AttentionSpec& a, SlotList& list) {
  const std::int64_t heads = a.qk_norm == QkNorm::kPerHead ? 1 : a.n_heads;
  const std::int64_t kv_heads = a.qk_norm == QkNorm::kPerHead ? 1 : a.n_kv_heads;
  if (a.qk_norm == QkNorm::kNone || a.qk_norm == QkNorm::kUnweighted) return;
  list.rms_norm(WeightRole::kQNorm, heads * a.head_dim);
  if (!a.shares_kv_with) list.rms_norm(WeightRole::kKNorm, kv_heads * a.head_dim);
}

void append(const AttentionSpec& a, SlotList& list) {
  const std::int64_t q_rows = std::int64_t{a.n_heads} * a.head_dim;
  const std::int64_t k_rows = std::int64_t{a.n_kv_heads} * a.head_dim;
  const std::int64_t v_rows = a.k_is_v ? 0 : std::int64_t{a.n_kv_heads} * a.value_dim();
  std::vector<RowPart> parts = {{a.output_gate ? 2 * q_rows : q_rows, Shard::kRows, a.n_heads}};
  if (!a.shares_kv_with) parts.push_back({k_rows + v_rows, Shard::kKvHeads, a.n_kv_heads});
  list.matrix(WeightRole::kQkv, parts, list.model().d_model, bias_if(a.qkv_bias));
  append_qk_norm(a, list);
  if (a.sinks) list.state(WeightRole::kSinks, a.n_heads, 1, Shard::kRows, a.n_heads);
  list.matrix(WeightRole::kOProj, list.model().d_model, std::int64_t{a.n_heads} * a.value_dim(),
              {WeightClass::kLinear, Shard::kColumns, a.n_heads}, bias_if(a.o_bias));
}

/// Every rank scores all tokens: the indexer is not split.
void append(const IndexerSpec& indexer, const MlaSpec& a, SlotList& list) {
  const int d_model = list.model().d_model;
  list.matrix(WeightRole::kIndexQ, std::int64_t{indexer.n_heads} * indexer.head_dim, a.q_lora_rank, {});
  list.matrix(WeightRole::kIndexK, indexer.head_dim, d_model, {});
  list.rms_norm(WeightRole::kIndexK, indexer.head_dim);  // a LayerNorm in every model that has it
  list.bias(WeightRole::kIndexK, indexer.head_dim);
  list.matrix(WeightRole::kIndexWeights, indexer.n_heads, d_model, {});
}

/// The down projections and the latents behind them are the same for all heads: each rank keeps them whole.
void append(const MlaSpec& a, SlotList& list) {
  const int d_model = list.model().d_model;
  const Treatment by_heads{WeightClass::kLinear, Shard::kRows, a.n_heads};
  if (a.q_lora_rank > 0) {
    list.matrix(WeightRole::kQDown, a.q_lora_rank, d_model, {}, bias_if(a.bias));
    list.rms_norm(WeightRole::kQDown, a.q_lora_rank);
  }
  list.matrix(WeightRole::kQUp, std::int64_t{a.n_heads} * a.qk_head_dim(), a.q_lora_rank > 0 ? a.q_lora_rank : d_model,
              by_heads);
  list.matrix(WeightRole::kKvDown, a.kv_lora_rank + a.qk_rope_head_dim, d_model, {}, bias_if(a.bias));
  list.rms_norm(WeightRole::kKvDown, a.kv_lora_rank);
  list.matrix(WeightRole::kKvUp, std::int64_t{a.n_heads} * (a.qk_nope_head_dim + a.v_head_dim), a.kv_lora_rank,
              by_heads);
  if (a.indexer) append(*a.indexer, a, list);
  list.matrix(WeightRole::kOProj, d_model, std::int64_t{a.n_heads} * a.v_head_dim,
              {WeightClass::kLinear, Shard::kColumns, a.n_heads}, bias_if(a.bias));
}

/// Projected: q, k, v, the gate z, and two numbers per value head (decay and write strength).
void append(const GatedDeltaNetSpec& d, SlotList& list) {
  const int d_model = list.model().d_model;
  const std::int64_t channels = 2 * d.key_width() + d.value_width();
  list.matrix(WeightRole::kMixerIn,
              {{channels + d.value_width(), Shard::kRows, d.n_k_heads}, {2 * d.n_v_heads, Shard::kRows, d.n_v_heads}},
              d_model);
  list.state(WeightRole::kMixerConv, channels, d.conv_kernel, Shard::kRows, d.n_k_heads);
  list.state(WeightRole::kMixerState, 2 * d.n_v_heads, 1, Shard::kRows, d.n_v_heads);  // A and the bias of dt
  list.rms_norm(WeightRole::kMixerNorm, d.v_head_dim);
  list.matrix(WeightRole::kMixerOut, d_model, d.value_width(), {WeightClass::kLinear, Shard::kColumns, d.n_v_heads});
}

void append(const Mamba1Spec& m, SlotList& list) {
  const int d_model = list.model().d_model;
  const Bias bias = bias_if(m.proj_bias);
  list.matrix(WeightRole::kMixerIn, 2 * m.d_inner, d_model, {WeightClass::kLinear, Shard::kRows}, bias);
  list.state(WeightRole::kMixerConv, m.d_inner, m.conv_kernel, Shard::kRows, 0);
  if (m.conv_bias) list.bias(WeightRole::kMixerConv, m.d_inner, Shard::kRows);
  list.matrix(WeightRole::kMixerX, m.dt_rank + 2 * m.d_state, m.d_inner, {WeightClass::kLinear, Shard::kColumns});
  if (m.inner_norms) list.rms_norm(WeightRole::kMixerX, m.dt_rank + 2 * m.d_state);
  list.matrix(WeightRole::kMixerDt, m.d_inner, m.dt_rank, {WeightClass::kLinear, Shard::kRows}, Bias::kPresent);
  list.state(WeightRole::kMixerState, m.d_inner, m.d_state + 1, Shard::kRows, 0);  // A and D
  list.matrix(WeightRole::kMixerOut, d_model, m.d_inner, {WeightClass::kLinear, Shard::kColumns}, bias);
}

/// Projected: the gate z, x, dt by heads; B and C by groups. The convolution runs over x, B and C.
void append(const Mamba2Spec& m, SlotList& list) {
  const int d_model = list.model().d_model;
  const std::int64_t bc = 2 * std::int64_t{m.n_groups} * m.d_state;
  const Bias bias = bias_if(m.proj_bias);
  list.matrix(WeightRole::kMixerIn,
              {{2 * m.d_inner() + m.n_heads, Shard::kRows, m.n_heads}, {bc, Shard::kKvHeads, m.n_groups}}, d_model,
              bias);
  list.state(WeightRole::kMixerConv, m.d_inner(), m.conv_kernel, Shard::kRows, m.n_heads);
  list.state(WeightRole::kMixerConv, bc, m.conv_kernel, Shard::kKvHeads, m.n_groups);
  if (m.conv_bias) {
    list.bias(WeightRole::kMixerConv, m.d_inner(), Shard::kRows, m.n_heads);
    list.bias(WeightRole::kMixerConv, bc, Shard::kKvHeads, m.n_groups);
  }
  list.state(WeightRole::kMixerState, 3 * m.n_heads, 1, Shard::kRows, m.n_heads);  // A, D and the bias of dt
  list.rms_norm(WeightRole::kMixerNorm, m.d_inner(), Shard::kRows);
  list.matrix(WeightRole::kMixerOut, d_model, m.d_inner(), {WeightClass::kLinear, Shard::kColumns, m.n_heads}, bias);
}

void append(const LinearMixer&, SlotList& list) {
  list.matrix(WeightRole::kLinearMixer, list.model().d_model, list.model().d_model, {});
}

void append(const NoMixer&, SlotList&) {}

}  // namespace

void append_mixer(const Mixer& mixer, SlotList& list) {
  std::visit([&](const auto& spec) { append(spec, list); }, mixer);
}

}  // namespace dachlast
