#include "core/model/op_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <string>

#include "core/base/error.h"

namespace dachlast {
namespace {

void require_positive(const char* name, int value) {
  if (value > 0) return;
  throw Error(ErrorKind::kUsage, name, fmt::format("{} is not a positive number of tokens or sequences.", value),
              "Give 1 or more.");
}

/// Largest count any shape of the step holds as an int: rows of QK-norm, one per token and head.
std::int64_t widest_row_count(const ModelSpec& model, const Step& step) {
  int heads = 1;
  for (const LayerSpec& layer : model.layers)
    heads = std::max(heads, attention_of(layer).n_heads + attention_of(layer).n_kv_heads);
  // Each factor is below 2^31 and the first product is checked before it meets the third.
  const std::int64_t tokens = std::int64_t{step.batch_size} * step.q_len;
  return tokens > std::numeric_limits<int>::max() ? tokens : tokens * heads;
}

void require_kernels(const ModelSpec& model) {
  if (const auto missing = missing_kernels(model))
    throw Error(ErrorKind::kInput, model.name, *missing + ".", "`plan` and `models show` work.");
}

void validate(const ModelSpec& model, const Step& step) {
  require_kernels(model);
  require_positive("batch_size", step.batch_size);
  require_positive("q_len", step.q_len);
  require_positive("kv_len", step.kv_len);
  if (step.kv_len < step.q_len)
    throw Error(
        ErrorKind::kUsage, "kv_len",
        fmt::format("{} tokens in the cache are fewer than the {} new ones it includes.", step.kv_len, step.q_len),
        "Count the new tokens too.");
  if (step.kv_len > model.max_context)
    throw Error(ErrorKind::kDoesNotFit, fmt::format("context of {} tokens", step.kv_len),
                fmt::format("{} was trained for {} tokens.", model.name, model.max_context),
                fmt::format("Ask for at most {} tokens, prompt and answer together.", model.max_context));
  if (widest_row_count(model, step) > std::numeric_limits<int>::max())
    throw Error(ErrorKind::kDoesNotFit, fmt::format("step of {} × {} tokens", step.batch_size, step.q_len),
                "holds more rows than a 32-bit count.", "Use a smaller batch or cut the prompt into steps.");
}

/// Appends the operations of one step in the order they run. Each member is one line of the paper.
class Builder {
 public:
  Builder(const ModelSpec& model, const Step& step, const Precision& precision, std::vector<Op>& ops)
      : model_(model), step_(step), precision_(precision), n_tokens_(step.batch_size * step.q_len), ops_(ops) {}

  void embed() {
    const EmbedShape shape{n_tokens_, model_.d_model, precision_.weights, model_.n_learned_positions > 0 ? 2 : 1};
    add(OpKind::kEmbed, shape, WeightRole::kTokenEmbedding, Buffer::kTokenIds, Buffer::kResidual);
  }

  void norm(WeightRole weight, Buffer in, Buffer out) {
    add(OpKind::kNorm, NormShape{n_tokens_, model_.d_model, model_.norm.kind}, weight, in, out);
  }

  void attention(Buffer in) {
    const AttentionSpec& a = attention_of(spec());
    const int n_qkv_heads = a.n_heads + 2 * a.n_kv_heads;
    linear(OpKind::kQkvProj, WeightRole::kQkv, n_qkv_heads * a.head_dim, model_.d_model, in, Buffer::kQkv);
    if (a.qk_norm != QkNorm::kNone) qk_norm(a);
    if (a.rope) rope(a);
    add(OpKind::kKvWrite, KvWriteShape{n_tokens_, a.n_kv_heads, a.head_dim, precision_.kv}, WeightRole::kNone,
        Buffer::kQkv, Buffer::kQkv);
    const AttentionShape shape{step_.batch_size, step_.q_len, step_.kv_len, a.n_heads,
                               a.n_kv_heads,     a.head_dim,  a.window,     precision_.kv};
    add(OpKind::kAttention, shape, WeightRole::kNone, Buffer::kQkv, Buffer::kAttended);
    linear(OpKind::kOProj, WeightRole::kOProj, model_.d_model, a.n_heads * a.head_dim, Buffer::kAttended,
           Buffer::kBranch);
  }

  void mlp(Buffer in) {
    const MlpSpec& m = mlp_of(spec());
    const int n_up = m.gate == Gate::kGated ? 2 * m.d_ff : m.d_ff;
    linear(OpKind::kMlpUp, WeightRole::kMlpUp, n_up, model_.d_model, in, Buffer::kMlpUp);
    add(OpKind::kMlpAct, ActivationShape{n_tokens_, m.d_ff, m.gate}, WeightRole::kNone, Buffer::kMlpUp,
        Buffer::kMlpHidden);
    linear(OpKind::kMlpDown, WeightRole::kMlpDown, model_.d_model, m.d_ff, Buffer::kMlpHidden, Buffer::kBranch);
  }

  void residual() {
    add(OpKind::kResidual, ResidualShape{n_tokens_, model_.d_model}, WeightRole::kNone, Buffer::kBranch,
        Buffer::kResidual);
  }

  void head() {
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
    add(OpKind::kLmHead, LinearShape{n_rows, model_.vocab_size, model_.d_model, precision_.weights},
        WeightRole::kLmHead, in, Buffer::kLogits);
    rows_ = last_only ? Rows::kAll : Rows::kLastOfEachSequence;
    add(OpKind::kSample, SampleShape{step_.batch_size, model_.vocab_size}, WeightRole::kNone, Buffer::kLogits,
        Buffer::kNextIds);
  }

  void enter_layer(int layer) { layer_ = layer; }

 private:
  const LayerSpec& spec() const { return model_.layers[static_cast<std::size_t>(layer_)]; }

  void add(OpKind kind, OpShape shape, WeightRole weight, Buffer in, Buffer out) {
    ops_.push_back({kind, layer_, shape, weight, in, out, rows_});
  }

  void linear(OpKind kind, WeightRole weight, int n, int k, Buffer in, Buffer out) {
    add(kind, LinearShape{n_tokens_, n, k, precision_.weights}, weight, in, out);
  }

  void qk_norm(const AttentionSpec& a) {
    const NormShape shape{n_tokens_ * (a.n_heads + a.n_kv_heads), a.head_dim, NormKind::kRms};
    add(OpKind::kQkNorm, shape, WeightRole::kQNorm, Buffer::kQkv, Buffer::kQkv);
  }

  void rope(const AttentionSpec& a) {
    const RopeShape shape{n_tokens_, a.n_heads + a.n_kv_heads, a.head_dim, a.rope->rotary_dim};
    add(OpKind::kRope, shape, WeightRole::kNone, Buffer::kQkv, Buffer::kQkv);
  }

  const ModelSpec& model_;
  const Step& step_;
  const Precision& precision_;
  const int n_tokens_;
  std::vector<Op>& ops_;
  int layer_ = -1;
  Rows rows_ = Rows::kAll;
};

/// The four ways to wire a block, line by line as BlockWiring writes them.
void add_block(Builder& b, BlockWiring wiring) {
  switch (wiring) {
    case BlockWiring::kSequential:
      b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kNormed);
      b.attention(Buffer::kNormed);
      b.residual();
      b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kNormed);
      b.mlp(Buffer::kNormed);
      b.residual();
      return;
    case BlockWiring::kSandwich:
      b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kNormed);
      b.attention(Buffer::kNormed);
      b.norm(WeightRole::kPostAttentionNorm, Buffer::kBranch, Buffer::kBranch);
      b.residual();
      b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kNormed);
      b.mlp(Buffer::kNormed);
      b.norm(WeightRole::kPostMlpNorm, Buffer::kBranch, Buffer::kBranch);
      b.residual();
      return;
    case BlockWiring::kParallel:
      b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kNormed);
      b.attention(Buffer::kNormed);
      b.residual();
      b.mlp(Buffer::kNormed);  // the same normed input: attention leaves kNormed as it is
      b.residual();
      return;
    case BlockWiring::kPostNorm:
      b.attention(Buffer::kResidual);
      b.residual();
      b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kResidual);
      b.mlp(Buffer::kResidual);
      b.residual();
      b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kResidual);
      return;
    case BlockWiring::kParallelTwoNorms:
    case BlockWiring::kBranchNorm: return;  // refused by `require_kernels`
  }
}

}  // namespace

void build_op_list(const ModelSpec& model, const Step& step, const Precision& precision, std::vector<Op>& ops) {
  validate(model, step);
  ops.clear();
  Builder b(model, step, precision, ops);
  b.embed();
  for (int layer = 0; layer < model.n_layers(); ++layer) {
    b.enter_layer(layer);
    add_block(b, model.wiring);
  }
  b.head();
}

std::vector<Op> build_op_list(const ModelSpec& model, const Step& step, const Precision& precision) {
  std::vector<Op> ops;
  build_op_list(model, step, precision, ops);
  return ops;
}

}  // namespace dachlast
