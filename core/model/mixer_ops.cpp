#include "core/model/op_builder.h"

// Latent attention, linear attention and state spaces.
namespace dachlast {

// -------- multi-head latent attention

void OpBuilder::run(const MlaSpec& a, Buffer in) {
  latent_projections(a, in);
  add(OpKind::kKvWrite, CacheWriteShape{n_tokens_, a.kv_lora_rank + a.qk_rope_head_dim, precision_.kv},
      WeightRole::kNone, Buffer::kLatent, Buffer::kLatent);
  if (a.indexer) index(*a.indexer, a, in);
  const bool absorbed = step_.latent == LatentForm::kAbsorbed;
  if (absorbed)
    absorbed_attention(a);
  else
    latent_attention(a);
  linear(OpKind::kOProj, WeightRole::kOProj, model_.d_model, a.n_heads * a.v_head_dim,
         absorbed ? Buffer::kMixed : Buffer::kAttended, Buffer::kBranch);
}

/// Down to the latents, their norms, and up to the heads of the queries.
void OpBuilder::latent_projections(const MlaSpec& a, Buffer in) {
  const int kv_width = a.kv_lora_rank + a.qk_rope_head_dim;
  if (a.q_lora_rank > 0)
    linear(OpKind::kLatentDown, WeightRole::kQDown, a.q_lora_rank, model_.d_model, in, Buffer::kLatent);
  linear(OpKind::kLatentDown, WeightRole::kKvDown, kv_width, model_.d_model, in, Buffer::kLatent);
  add(OpKind::kQkNorm, NormShape{n_tokens_, a.q_lora_rank + a.kv_lora_rank, NormKind::kRms}, WeightRole::kKvDown,
      Buffer::kLatent, Buffer::kLatent);
  const int q_inputs = a.q_lora_rank > 0 ? a.q_lora_rank : model_.d_model;
  linear(OpKind::kLatentUp, WeightRole::kQUp, a.n_heads * a.qk_head_dim(), q_inputs,
         a.q_lora_rank > 0 ? Buffer::kLatent : in, Buffer::kQkv);
  add(OpKind::kRope, RopeShape{n_tokens_, a.n_heads + 1, a.qk_rope_head_dim, a.qk_rope_head_dim, a.rope.pairs},
      WeightRole::kNone, Buffer::kQkv, Buffer::kQkv);
}

/// Prefill rebuilds K and V of all cached tokens and attends as usual. Decode multiplies queries and results by the same
/// matrices instead and attends to the latents themselves, which all heads share.
/// Source   vllm-project/vllm:vllm/v1/attention/backends/mla/common.py; DeepSeek-V2, arXiv:2405.04434, section 2.1.3.
void OpBuilder::latent_attention(const MlaSpec& a) {
  const bool rebuilds = step_.phase == Phase::kPrefill || step_.latent == LatentForm::kRebuilt;
  const int n_rows = rebuilds ? static_cast<int>(step_.n_cached()) : n_tokens_;
  const int up_width = a.n_heads * (a.qk_nope_head_dim + a.v_head_dim);
  const WeightType type =
      step_.latent == LatentForm::kByPhase ? precision_.weights : latent_up_type(precision_.weights);
  add(OpKind::kLatentUp, LinearShape{n_rows, up_width, a.kv_lora_rank, type}, WeightRole::kKvUp, Buffer::kLatent,
      Buffer::kMixed);
  WideAttentionShape shape = attention_to_latents(a);
  if (rebuilds) {
    shape.score_dim = a.qk_head_dim();
    shape.value_dim = a.v_head_dim;
  }
  add(OpKind::kAttention, shape, WeightRole::kNone, Buffer::kQkv, Buffer::kAttended);
}

/// Scores against whole rows of the cache, sums of the latents in them.
WideAttentionShape OpBuilder::attention_to_latents(const MlaSpec& a) const {
  return {.batch_size = step_.batch_size,
          .q_len = step_.q_len,
          .kv_len = step_.kv_len,
          .n_heads = a.n_heads,
          .score_dim = a.latent_width(),
          .value_dim = a.kv_lora_rank,
          .row_elements = a.latent_width(),
          .window = a.window > 0 ? a.window + a.n_sink_tokens : 0,  // a query sees as many tokens at most
          .chunk = 0,
          .top_k = a.indexer ? a.indexer->top_k : 0,
          .kv = precision_.kv,
          .sequences = step_.sequences};
}

/// The keys' part of the up projection before attention, the values' part behind it:
///   q[h]ᵀ · (W_UK[h] · c) = (W_UK[h]ᵀ · q[h])ᵀ · c,   Σ p · (W_UV[h] · c) = W_UV[h] · Σ p · c
void OpBuilder::absorbed_attention(const MlaSpec& a) {
  const WeightType type = latent_up_type(precision_.weights);
  const HeadLinearShape keys{n_tokens_, a.n_heads, a.kv_lora_rank, a.qk_nope_head_dim, type, a.qk_rope_head_dim};
  add(OpKind::kLatentUp, keys, WeightRole::kKvUp, Buffer::kQkv, Buffer::kMixed);
  add(OpKind::kAttention, attention_to_latents(a), WeightRole::kNone, Buffer::kMixed, Buffer::kAttended);
  const HeadLinearShape values{n_tokens_, a.n_heads, a.v_head_dim, a.kv_lora_rank, type};
  add(OpKind::kLatentUp, values, WeightRole::kKvUp, Buffer::kAttended, Buffer::kMixed);
}

/// Scores every earlier token with small heads; keys are kept beside the latent.
void OpBuilder::index(const IndexerSpec& indexer, const MlaSpec& a, Buffer in) {
  const int q_inputs = a.q_lora_rank > 0 ? a.q_lora_rank : model_.d_model;
  linear(OpKind::kIndexProj, WeightRole::kIndexQ, indexer.n_heads * indexer.head_dim, q_inputs, Buffer::kLatent,
         Buffer::kIndex);
  linear(OpKind::kIndexProj, WeightRole::kIndexK, indexer.head_dim, model_.d_model, in, Buffer::kIndex);
  linear(OpKind::kIndexProj, WeightRole::kIndexWeights, indexer.n_heads, model_.d_model, in, Buffer::kIndex);
  add(OpKind::kKvWrite, CacheWriteShape{n_tokens_, indexer.head_dim, precision_.kv}, WeightRole::kNone, Buffer::kIndex,
      Buffer::kIndex);
  const WideAttentionShape scores{.batch_size = step_.batch_size,
                                  .q_len = step_.q_len,
                                  .kv_len = step_.kv_len,
                                  .n_heads = indexer.n_heads,
                                  .score_dim = indexer.head_dim,
                                  .value_dim = 1,  // one number per head and token, weighed and added up
                                  .row_elements = indexer.head_dim,
                                  .window = 0,
                                  .chunk = 0,
                                  .top_k = 0,
                                  .kv = precision_.kv};
  add(OpKind::kIndexScore, scores, WeightRole::kNone, Buffer::kIndex, Buffer::kIndex);
}

// -------- states in place of a cache

void OpBuilder::run(const GatedDeltaNetSpec& d, Buffer in) {
  const int channels = 2 * d.key_width() + d.value_width();
  linear(OpKind::kMixerIn, WeightRole::kMixerIn, channels + d.value_width() + 2 * d.n_v_heads, model_.d_model, in,
         Buffer::kMixerIn);
  add(OpKind::kConv, ConvShape{step_.batch_size, step_.q_len, channels, d.conv_kernel}, WeightRole::kMixerConv,
      Buffer::kMixerIn, Buffer::kMixed);
  add(OpKind::kScan,
      ScanShape{step_.batch_size, step_.q_len, d.n_v_heads, d.k_head_dim, d.v_head_dim, ScanRule::kDeltaRule,
                d.state_dtype.value_or(model_.native_dtype)},
      WeightRole::kMixerState, Buffer::kMixed, Buffer::kAttended);
  add(OpKind::kNorm, NormShape{n_tokens_ * d.n_v_heads, d.v_head_dim, NormKind::kRms}, WeightRole::kMixerNorm,
      Buffer::kAttended, Buffer::kAttended);
  gate(d.value_width(), Buffer::kAttended, Buffer::kAttended);
  linear(OpKind::kMixerOut, WeightRole::kMixerOut, model_.d_model, d.value_width(), Buffer::kAttended, Buffer::kBranch);
}

void OpBuilder::run(const Mamba1Spec& m, Buffer in) {
  linear(OpKind::kMixerIn, WeightRole::kMixerIn, 2 * m.d_inner, model_.d_model, in, Buffer::kMixerIn);
  add(OpKind::kConv, ConvShape{step_.batch_size, step_.q_len, m.d_inner, m.conv_kernel}, WeightRole::kMixerConv,
      Buffer::kMixerIn, Buffer::kMixed);
  linear(OpKind::kMixerIn, WeightRole::kMixerX, m.dt_rank + 2 * m.d_state, m.d_inner, Buffer::kMixed, Buffer::kLatent);
  linear(OpKind::kMixerIn, WeightRole::kMixerDt, m.d_inner, m.dt_rank, Buffer::kLatent, Buffer::kMixed);
  add(OpKind::kScan,
      ScanShape{step_.batch_size, step_.q_len, 1, m.d_state, m.d_inner, ScanRule::kStateSpace, model_.native_dtype},
      WeightRole::kMixerState, Buffer::kMixed, Buffer::kAttended);
  gate(m.d_inner, Buffer::kAttended, Buffer::kAttended);
  linear(OpKind::kMixerOut, WeightRole::kMixerOut, model_.d_model, m.d_inner, Buffer::kAttended, Buffer::kBranch);
}

void OpBuilder::run(const Mamba2Spec& m, Buffer in) {
  const int channels = m.d_inner() + 2 * m.n_groups * m.d_state;
  linear(OpKind::kMixerIn, WeightRole::kMixerIn, channels + m.d_inner() + m.n_heads, model_.d_model, in,
         Buffer::kMixerIn);
  add(OpKind::kConv, ConvShape{step_.batch_size, step_.q_len, channels, m.conv_kernel}, WeightRole::kMixerConv,
      Buffer::kMixerIn, Buffer::kMixed);
  add(OpKind::kScan,
      ScanShape{step_.batch_size, step_.q_len, m.n_heads, m.d_state, m.head_dim, ScanRule::kStateSpace,
                m.state_dtype.value_or(model_.native_dtype)},
      WeightRole::kMixerState, Buffer::kMixed, Buffer::kAttended);
  gate(m.d_inner(), Buffer::kAttended, Buffer::kAttended);
  add(OpKind::kNorm, NormShape{n_tokens_, m.d_inner(), NormKind::kRms}, WeightRole::kMixerNorm, Buffer::kAttended,
      Buffer::kAttended);
  linear(OpKind::kMixerOut, WeightRole::kMixerOut, model_.d_model, m.d_inner(), Buffer::kAttended, Buffer::kBranch);
}

void OpBuilder::run(const LinearMixer&, Buffer in) {
  linear(OpKind::kMixerOut, WeightRole::kLinearMixer, model_.d_model, model_.d_model, in, Buffer::kBranch);
}

}  // namespace dachlast
