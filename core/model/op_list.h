#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/op.h"
#include "core/model/model_spec.h"

namespace dachlast {

/// Which weight an operation reads; together with the layer it names one matrix or vector (see tensor_names.h).
enum class WeightRole : std::uint8_t {
  kNone,
  kTokenEmbedding,
  kInputNorm,  // before attention (kPostNorm: after it)
  kQkv,        // q, k and v rows below each other
  kQNorm,      // kQkNorm names this one and reads kKNorm too
  kKNorm,
  kOProj,
  kPostAttentionNorm,  // kSandwich: norm of the attention branch
  kMlpNorm,            // before the MLP (kPostNorm: after it)
  kMlpUp,              // gate rows above up rows where gated
  kMlpDown,
  kPostMlpNorm,  // kSandwich: norm of the MLP branch
  kFinalNorm,
  kLmHead,
  // Behind the ones above, whose numbers seed random weights.
  kEmbeddingNorm,  // BLOOM
  kSinks,
  kLinearMixer,
  // multi-head latent attention, norms in the same role as the projection they follow
  kQDown,
  kQUp,  // from d_model where queries have no latent
  kKvDown,
  kKvUp,
  kIndexQ,
  kIndexK,
  kIndexWeights,
  // linear attention and state space models
  kMixerIn,
  kMixerConv,
  kMixerX,   // Mamba: dt, B and C
  kMixerDt,  // Mamba: from the rank of dt to every channel
  kMixerState,
  kMixerNorm,
  kMixerOut,
  // routed experts
  kRouter,
  kExpertUp,
  kExpertDown,
  kSharedUp,
  kSharedDown,
  kSharedGate,
  kPreExpertNorm,  // the three norms of Gemma 4's branches
  kPostExpertNorm,
  kPostSharedNorm,
  // inputs of each layer's own
  kPerLayerEmbedding,
  kPerLayerUp,
  kPerLayerDown,
  // beside the text model
  kMtpJoin,
  kTower
};

inline constexpr int kWeightRoleCount = static_cast<int>(WeightRole::kTower) + 1;

/// Activation buffers of a step. An operation reads `in` and writes `out`; in place where both are the same. `kv_write`
/// names `kQkv` twice: what it writes is the cache.
enum class Buffer : std::uint8_t {
  kTokenIds,   // [n_tokens] int32
  kResidual,   // [n_tokens, d_model]
  kNormed,     // [n_tokens, d_model]
  kQkv,        // [n_tokens, (n_heads + 2 · n_kv_heads) · head_dim]
  kAttended,   // [n_tokens, n_heads · head_dim]
  kBranch,     // [n_tokens, d_model]
  kMlpUp,      // [n_tokens, d_ff or 2 · d_ff]
  kMlpHidden,  // [n_tokens, d_ff]
  kLatent,     // [n_tokens, q_lora_rank], behind them [n_tokens, kv_lora_rank + qk_rope_head_dim]
  kIndex,      // [n_tokens, queries, key and weights of the indexer]
  kMixerIn,    // [n_tokens, all that linear attention or a state space projects]
  kMixed,      // [n_tokens, what its convolution and state return]
  kScores,     // [n_tokens, n_experts]
  kExpertUp,   // [n_tokens · n_active, d_ff or 2 · d_ff]
  kExpertHidden,
  kExpertOut,  // [n_tokens · n_active, d_model]
  kLogits,     // [n_rows, vocab_size]; n_rows is batch_size, or n_tokens for LogitsFor::kAllTokens
  kNextIds     // [batch_size] int32
};

inline constexpr int kBufferCount = static_cast<int>(Buffer::kNextIds) + 1;

/// Rows of `in` an operation reads. What it writes is packed: row b of `out` belongs to sequence b where only the last
/// row of each sequence was read, so the operations behind it read `kAll` again.
enum class Rows : std::uint8_t { kAll, kLastOfEachSequence };

/// One operation of a step. Trivially copyable, so that a decode step builds its list without allocating per op.
struct Op {
  OpKind kind;
  int layer;  // -1 outside the layers
  OpShape shape;
  WeightRole weight = WeightRole::kNone;
  Buffer in;
  Buffer out;
  Rows rows = Rows::kAll;
};

/// How latent attention meets its cache.
enum class LatentForm : std::uint8_t {
  kByPhase,   // as servers do: rebuilt in prefill, absorbed in decode, the up projection one operation
  kAbsorbed,  // queries and results pass the up projection, attention reads the latents, which all heads share
  kRebuilt    // K and V of all heads are rebuilt from the latents of every cached token
};

/// For which tokens of a prefill the head computes logits.
enum class LogitsFor : std::uint8_t { kLastToken, kAllTokens };

/// One pass through the model: `batch_size` sequences get `q_len` new tokens each and then hold `kv_len`; or as many as
/// `sequences` lists, each with lengths of its own, q_len and kv_len being the largest of them.
struct Step {
  Phase phase = Phase::kPrefill;
  int batch_size = 1;
  int q_len = 1;
  int kv_len = 1;  // the new tokens included
  LogitsFor logits = LogitsFor::kLastToken;
  std::span<const SequenceLengths> sequences = {};  // outlives the operations built from it
  LatentForm latent = LatentForm::kByPhase;

  std::int64_t n_tokens() const;
  /// Tokens in the caches of all sequences.
  std::int64_t n_cached() const;
};

/// A step of sequences that differ.
Step ragged_step(Phase phase, std::span<const SequenceLengths> sequences);

/// Outputs of these stand side by side in their buffer: latents of queries and of keys; parts of the indexer.
constexpr bool adds_a_part(OpKind kind) {
  return kind == OpKind::kLatentDown || kind == OpKind::kIndexProj;
}

/// Element types of a run.
struct Precision {
  WeightType weights = DType::kF32;
  KvStorage kv = {};
};

/// What the engine keeps the up projection of latents in, always in rows: absorbed attention multiplies by its keys' part
/// from the other side, along the rows that quantization gives a common scale. vLLM keeps it plain likewise.
/// Source   vllm-project/vllm:vllm/v1/attention/backends/mla/common.py (process_weights_after_loading).
constexpr WeightType latent_up_type(const WeightType& weights) {
  return weights.quantized() ? WeightType(DType::kBF16) : weights;
}

/// Builds the flat list of operations of one step: the paper, top to bottom. Nothing else in the program knows how a
/// transformer is put together.
/// Errors   throws `Error` where a size of `step` is not positive, kv_len < q_len, or kv_len exceeds the model's
/// context.
std::vector<Op> build_op_list(const ModelSpec& model, const Step& step, const Precision& precision);

/// As above, into `ops`, whose capacity is kept: the engine's decode loop.
void build_op_list(const ModelSpec& model, const Step& step, const Precision& precision, std::vector<Op>& ops);

}  // namespace dachlast
