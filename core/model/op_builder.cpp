#include "core/model/op_builder.h"

namespace dachlast {

void OpBuilder::embed() {
  const EmbedShape shape{n_tokens_, model_.d_model, precision_.weights, model_.n_learned_positions > 0 ? 2 : 1};
  add(OpKind::kEmbed, shape, WeightRole::kTokenEmbedding, Buffer::kTokenIds, Buffer::kResidual);
  if (model_.embedding_norm) norm(WeightRole::kEmbeddingNorm, Buffer::kResidual, Buffer::kResidual);
}

void OpBuilder::norm(WeightRole weight, Buffer in, Buffer out) {
  add(OpKind::kNorm, NormShape{n_tokens_, model_.d_model, model_.norm.kind}, weight, in, out);
}

void OpBuilder::mixer(Buffer in) {
  std::visit([&](const auto& spec) { run(spec, in); }, layer().mixer);
}

void OpBuilder::feed_forward(Buffer in) {
  std::visit([&](const auto& spec) { run(spec, in); }, layer().feed_forward);
}

void OpBuilder::residual() {
  add(OpKind::kResidual, ResidualShape{n_tokens_, model_.d_model}, WeightRole::kNone, Buffer::kBranch,
      Buffer::kResidual);
}

void OpBuilder::head() {
  const bool last_only = step_.logits == LogitsFor::kLastToken;
  const int n_rows = last_only ? step_.batch_size : n_tokens_;
  layer_ = -1;
  rows_ = last_only ? Rows::kLastOfEachSequence : Rows::kAll;
  Buffer in = Buffer::kResidual;
  if (model_.final_norm) {
    add(OpKind::kNorm, NormShape{n_rows, model_.d_model, model_.norm.kind}, WeightRole::kFinalNorm, in,
        Buffer::kNormed);
    in = Buffer::kNormed;
    rows_ = Rows::kAll;  // the norm has packed them
  }
  add(OpKind::kLmHead, LinearShape{n_rows, model_.vocab_size, model_.d_model, precision_.weights}, WeightRole::kLmHead,
      in, Buffer::kLogits);
  rows_ = last_only ? Rows::kAll : Rows::kLastOfEachSequence;
  add(OpKind::kSample, SampleShape{step_.batch_size, model_.vocab_size}, WeightRole::kNone, Buffer::kLogits,
      Buffer::kNextIds);
}

// -------- attention

void OpBuilder::run(const AttentionSpec& a, Buffer in) {
  const int q_width = (a.output_gate ? 2 : 1) * a.n_heads * a.head_dim;
  const int kv_width = a.shares_kv_with ? 0 : a.n_kv_heads * (a.head_dim + (a.k_is_v ? 0 : a.value_dim()));
  linear(OpKind::kQkvProj, WeightRole::kQkv, q_width + kv_width, model_.d_model, in, Buffer::kQkv);
  if (a.qk_norm != QkNorm::kNone) qk_norm(a);
  if (a.rope) rope(a);
  const bool plain = a.value_dim() == a.head_dim && a.chunk == 0 && !a.shares_kv_with;
  if (plain)
    plain_attention(a);
  else
    wide_attention(a);
  const int width = a.n_heads * a.value_dim();
  if (a.output_gate) gate(width, Buffer::kAttended, Buffer::kAttended);
  linear(OpKind::kOProj, WeightRole::kOProj, model_.d_model, width, Buffer::kAttended, Buffer::kBranch);
}

void OpBuilder::plain_attention(const AttentionSpec& a) {
  add(OpKind::kKvWrite, KvWriteShape{n_tokens_, a.n_kv_heads, a.head_dim, precision_.kv}, WeightRole::kNone,
      Buffer::kQkv, Buffer::kQkv);
  const AttentionShape shape{step_.batch_size, step_.q_len, step_.kv_len,  a.n_heads,       a.n_kv_heads,
                             a.head_dim,       a.window,    precision_.kv, a.n_sink_tokens, step_.sequences};
  add(OpKind::kAttention, shape, WeightRole::kNone, Buffer::kQkv, Buffer::kAttended);
}

/// A layer that reads another's cache writes none of its own.
void OpBuilder::wide_attention(const AttentionSpec& a) {
  const int row = a.n_kv_heads * (a.head_dim + a.value_dim());
  if (!a.shares_kv_with)
    add(OpKind::kKvWrite, CacheWriteShape{n_tokens_, row, precision_.kv}, WeightRole::kNone, Buffer::kQkv,
        Buffer::kQkv);
  const WideAttentionShape shape{.batch_size = step_.batch_size,
                                 .q_len = step_.q_len,
                                 .kv_len = step_.kv_len,
                                 .n_heads = a.n_heads,
                                 .score_dim = a.head_dim,
                                 .value_dim = a.value_dim(),
                                 .row_elements = row,
                                 .window = a.window,
                                 .chunk = a.chunk,
                                 .top_k = 0,
                                 .kv = precision_.kv};
  add(OpKind::kAttention, shape, WeightRole::kNone, Buffer::kQkv, Buffer::kAttended);
}

/// Over all heads together the rows are fewer and wider, the elements the same.
void OpBuilder::qk_norm(const AttentionSpec& a) {
  const int n_heads = a.n_heads + (a.shares_kv_with ? 0 : a.n_kv_heads);
  const NormShape shape{n_tokens_ * n_heads, a.head_dim, NormKind::kRms};
  add(OpKind::kQkNorm, shape, WeightRole::kQNorm, Buffer::kQkv, Buffer::kQkv);
}

void OpBuilder::rope(const AttentionSpec& a) {
  const int n_heads = a.n_heads + (a.shares_kv_with ? 0 : a.n_kv_heads);
  add(OpKind::kRope, RopeShape{n_tokens_, n_heads, a.head_dim, a.rope->rotary_dim}, WeightRole::kNone, Buffer::kQkv,
      Buffer::kQkv);
}

// -------- feed-forward

void OpBuilder::run(const MlpSpec& m, Buffer in) {
  const int n_up = m.gate == Gate::kGated ? 2 * m.d_ff : m.d_ff;
  linear(OpKind::kMlpUp, WeightRole::kMlpUp, n_up, model_.d_model, in, Buffer::kMlpUp);
  add(OpKind::kMlpAct, ActivationShape{n_tokens_, m.d_ff, m.gate}, WeightRole::kNone, Buffer::kMlpUp,
      Buffer::kMlpHidden);
  linear(OpKind::kMlpDown, WeightRole::kMlpDown, model_.d_model, m.d_ff, Buffer::kMlpHidden, Buffer::kBranch);
}

void OpBuilder::run(const MoeSpec& moe, Buffer in) {
  linear(OpKind::kRouter, WeightRole::kRouter, moe.n_experts, model_.d_model, in, Buffer::kScores);
  experts(moe, in);
  if (moe.shared_d_ff > 0) shared_expert(moe, in);
  add(OpKind::kCombine, CombineShape{n_tokens_, moe.n_active + (moe.shared_d_ff > 0 ? 1 : 0), model_.d_model},
      WeightRole::kNone, Buffer::kExpertOut, Buffer::kBranch);
}

void OpBuilder::experts(const MoeSpec& moe, Buffer in) {
  const int n_up = moe.gate == Gate::kGated ? 2 * moe.d_ff : moe.d_ff;
  const auto shape = [&](int n, int k) {
    return ExpertsShape{n_tokens_, moe.n_experts, moe.n_active, n, k, precision_.weights};
  };
  add(OpKind::kExpertUp, shape(n_up, model_.d_model), WeightRole::kExpertUp, in, Buffer::kExpertUp);
  add(OpKind::kExpertAct, ActivationShape{n_tokens_ * moe.n_active, moe.d_ff, moe.gate}, WeightRole::kNone,
      Buffer::kExpertUp, Buffer::kExpertHidden);
  add(OpKind::kExpertDown, shape(model_.d_model, moe.d_ff), WeightRole::kExpertDown, Buffer::kExpertHidden,
      Buffer::kExpertOut);
}

void OpBuilder::shared_expert(const MoeSpec& moe, Buffer in) {
  const int n_up = moe.gate == Gate::kGated ? 2 * moe.shared_d_ff : moe.shared_d_ff;
  linear(OpKind::kMlpUp, WeightRole::kSharedUp, n_up, model_.d_model, in, Buffer::kMlpUp);
  add(OpKind::kMlpAct, ActivationShape{n_tokens_, moe.shared_d_ff, moe.gate}, WeightRole::kNone, Buffer::kMlpUp,
      Buffer::kMlpHidden);
  linear(OpKind::kMlpDown, WeightRole::kSharedDown, model_.d_model, moe.shared_d_ff, Buffer::kMlpHidden,
         Buffer::kBranch);
}

}  // namespace dachlast
