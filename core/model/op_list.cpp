#include "core/model/op_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <string>

#include "core/base/error.h"
#include "core/model/op_builder.h"

namespace dachlast {
namespace {

void require_positive(const char* name, int value) {
  if (value > 0) return;
  throw Error(ErrorKind::kUsage, name, fmt::format("{} is not a positive number of tokens or sequences.", value),
              "Give 1 or more.");
}

/// Rows per token of the widest shape: heads of QK-norm, heads of linear attention, experts of a token.
struct RowsPerToken {
  int operator()(const AttentionSpec& a) const { return a.n_heads + a.n_kv_heads; }
  int operator()(const MlaSpec& a) const { return a.n_heads; }
  int operator()(const GatedDeltaNetSpec& d) const { return d.n_v_heads; }
  int operator()(const MoeSpec& moe) const { return moe.n_active; }
  int operator()(const auto&) const { return 1; }
};

/// Cached tokens whose K and V latent attention rebuilds in prefill.
std::int64_t rebuilt_rows(const ModelSpec& model, const Step& step) {
  const bool latent = std::ranges::any_of(
      model.layers, [](const LayerSpec& layer) { return std::holds_alternative<MlaSpec>(layer.mixer); });
  const bool rebuilds =
      step.latent == LatentForm::kRebuilt || (step.latent == LatentForm::kByPhase && step.phase == Phase::kPrefill);
  return latent && rebuilds ? step.n_cached() : 0;
}

/// Largest count any shape of the step holds as an int.
std::int64_t widest_row_count(const ModelSpec& model, const Step& step) {
  int rows = 1;
  for (const LayerSpec& layer : model.layers)
    rows = std::max({rows, std::visit(RowsPerToken{}, layer.mixer), std::visit(RowsPerToken{}, layer.feed_forward)});
  // Each factor is below 2^31 and the first product is checked before it meets the third.
  const std::int64_t tokens = step.n_tokens();
  const std::int64_t widest = tokens > std::numeric_limits<int>::max() ? tokens : tokens * rows;
  return std::max(widest, rebuilt_rows(model, step));
}

void validate(const SequenceLengths& lengths) {
  require_positive("q_len", lengths.q_len);
  require_positive("kv_len", lengths.kv_len);
  if (lengths.kv_len < lengths.q_len)
    throw Error(ErrorKind::kUsage, "kv_len",
                fmt::format("{} tokens in the cache are fewer than the {} new ones it includes.", lengths.kv_len,
                            lengths.q_len),
                "Count the new tokens too.");
}

void validate(const ModelSpec& model, const Step& step) {
  require_positive("batch_size", step.batch_size);
  validate(SequenceLengths{step.q_len, step.kv_len});
  for (const SequenceLengths& lengths : step.sequences) validate(lengths);
  if (step.kv_len > model.max_context)
    throw Error(ErrorKind::kDoesNotFit, fmt::format("context of {} tokens", step.kv_len),
                fmt::format("{} was trained for {} tokens.", model.name, model.max_context),
                fmt::format("Ask for at most {} tokens, prompt and answer together.", model.max_context));
  if (widest_row_count(model, step) > std::numeric_limits<int>::max())
    throw Error(ErrorKind::kDoesNotFit, fmt::format("step of {} × {} tokens", step.batch_size, step.q_len),
                "holds more rows than a 32-bit count.", "Use a smaller batch or cut the prompt into steps.");
}

// One function per wiring, line by line as BlockWiring writes them. A layer may lack a mixer or a feed-forward; its norms
// are missing with it.

void add_sequential(OpBuilder& b) {
  if (b.has_mixer()) {
    b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kNormed);
    b.mixer(Buffer::kNormed);
    b.residual();
  }
  if (!b.has_feed_forward()) return;
  b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kNormed);
  b.feed_forward(Buffer::kNormed);
  b.residual();
}

void add_sandwich(OpBuilder& b) {
  b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kNormed);
  b.mixer(Buffer::kNormed);
  b.norm(WeightRole::kPostAttentionNorm, Buffer::kBranch, Buffer::kBranch);
  b.residual();
  b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kNormed);
  b.feed_forward(Buffer::kNormed);
  b.norm(WeightRole::kPostMlpNorm, Buffer::kBranch, Buffer::kBranch);
  b.residual();
}

enum class SecondNorm { kAbsent, kPresent };

/// Both branches start from the same residual. With one norm the MLP reads the same normed input: attention leaves
/// kNormed as it is.
void add_parallel(OpBuilder& b, SecondNorm second) {
  b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kNormed);
  b.mixer(Buffer::kNormed);
  if (second == SecondNorm::kPresent) b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kNormed);
  b.residual();
  b.feed_forward(Buffer::kNormed);
  b.residual();
}

void add_post_norm(OpBuilder& b) {
  b.mixer(Buffer::kResidual);
  b.residual();
  b.norm(WeightRole::kInputNorm, Buffer::kResidual, Buffer::kResidual);
  b.feed_forward(Buffer::kResidual);
  b.residual();
  b.norm(WeightRole::kMlpNorm, Buffer::kResidual, Buffer::kResidual);
}

void add_branch_norm(OpBuilder& b) {
  b.mixer(Buffer::kResidual);
  b.norm(WeightRole::kPostAttentionNorm, Buffer::kBranch, Buffer::kBranch);
  b.residual();
  b.feed_forward(Buffer::kResidual);
  b.norm(WeightRole::kPostMlpNorm, Buffer::kBranch, Buffer::kBranch);
  b.residual();
}

void add_block(OpBuilder& b, BlockWiring wiring) {
  switch (wiring) {
    case BlockWiring::kSequential: return add_sequential(b);
    case BlockWiring::kSandwich: return add_sandwich(b);
    case BlockWiring::kParallel: return add_parallel(b, SecondNorm::kAbsent);
    case BlockWiring::kParallelTwoNorms: return add_parallel(b, SecondNorm::kPresent);
    case BlockWiring::kPostNorm: return add_post_norm(b);
    case BlockWiring::kBranchNorm: return add_branch_norm(b);
  }
}

}  // namespace

std::int64_t Step::n_tokens() const {
  if (sequences.empty()) return std::int64_t{batch_size} * q_len;
  std::int64_t sum = 0;
  for (const SequenceLengths& lengths : sequences) sum += lengths.q_len;
  return sum;
}

std::int64_t Step::n_cached() const {
  if (sequences.empty()) return std::int64_t{batch_size} * kv_len;
  std::int64_t sum = 0;
  for (const SequenceLengths& lengths : sequences) sum += lengths.kv_len;
  return sum;
}

Step ragged_step(Phase phase, std::span<const SequenceLengths> sequences) {
  Step step{.phase = phase, .batch_size = static_cast<int>(sequences.size()), .sequences = sequences};
  for (const SequenceLengths& lengths : sequences) {
    step.q_len = std::max(step.q_len, lengths.q_len);
    step.kv_len = std::max(step.kv_len, lengths.kv_len);
  }
  return step;
}

void build_op_list(const ModelSpec& model, const Step& step, const Precision& precision, std::vector<Op>& ops) {
  validate(model, step);
  ops.clear();
  OpBuilder b(model, step, precision, ops);
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
