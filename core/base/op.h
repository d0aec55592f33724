#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include "core/base/dtype.h"
#include "core/base/kv_format.h"
#include "core/base/weight_type.h"

namespace dachlast {

/// The two parts of serving a request: reading the prompt, then producing token after token.
enum class Phase : std::uint8_t { kPrefill, kDecode };

constexpr std::string_view name_of(Phase phase) {
  return phase == Phase::kPrefill ? "prefill" : "decode";
}

/// What a decode step finds of the tokens before it.
enum class KvPolicy : std::uint8_t {
  kContiguous,  // room for a whole sequence at once
  kPaged,       // blocks handed out as tokens come
  kWindow,      // the newest tokens, in a ring
  kSink,        // the first ones beside them
  kNone         // nothing: every decode step recomputes the whole sequence
};

inline constexpr KvPolicy kAllKvPolicies[] = {KvPolicy::kContiguous, KvPolicy::kPaged, KvPolicy::kWindow,
                                              KvPolicy::kSink, KvPolicy::kNone};

constexpr std::string_view name_of(KvPolicy policy) {
  constexpr std::string_view names[] = {"contiguous", "paged", "window", "sink", "none"};
  return names[static_cast<int>(policy)];
}

/// Every operation a transformer step is made of. Names are the ones files, spans and tables show.
enum class OpKind : std::uint8_t {
  kEmbed,
  kNorm,
  kQkvProj,
  kQkNorm,
  kRope,
  kKvWrite,
  kAttention,
  kOProj,
  kMlpUp,   // up projection, gate included where there is one
  kMlpAct,  // activation function, times gate where there is one
  kMlpDown,
  kResidual,
  kLmHead,
  kSample,
  // latent attention
  kLatentDown,  // to the latents of queries, keys and values
  kLatentUp,    // from them to heads
  kIndexProj,   // queries, keys and weights of the indexer
  kIndexScore,  // its scores over all tokens
  // linear attention and state spaces
  kMixerIn,
  kConv,
  kScan,
  kMixerOut,
  kGate,  // what attention or a state space returns, times its gate
  // routed experts
  kRouter,
  kExpertUp,
  kExpertAct,
  kExpertDown,
  kCombine  // the weighted sum of a token's experts
};

inline constexpr int kOpKindCount = static_cast<int>(OpKind::kCombine) + 1;

constexpr std::string_view name_of(OpKind kind) {
  constexpr std::string_view names[kOpKindCount] = {
      "embed",       "norm",      "qkv_proj",   "qk_norm",     "rope",       "kv_write",    "attention",
      "o_proj",      "mlp_up",    "mlp_act",    "mlp_down",    "residual",   "lm_head",     "sample",
      "latent_down", "latent_up", "index_proj", "index_score", "mixer_in",   "conv",        "scan",
      "mixer_out",   "gate",      "router",     "expert_up",   "expert_act", "expert_down", "combine"};
  return names[static_cast<int>(kind)];
}

constexpr std::optional<OpKind> op_kind_from_name(std::string_view name) {
  for (int i = 0; i < kOpKindCount; ++i)
    if (name_of(static_cast<OpKind>(i)) == name) return static_cast<OpKind>(i);
  return std::nullopt;
}

enum class NormKind : std::uint8_t { kRms, kLayer };
enum class Activation : std::uint8_t { kSilu, kGeluTanh, kGeluErf, kRelu, kReluSquared };
enum class Gate : std::uint8_t { kNone, kGated };

// Sizes of the operations: the one vocabulary of op list, kernels and cost functions. `n_tokens` counts the tokens of the
// whole step, `batch_size · q_len`.

struct EmbedShape {
  int n_tokens;
  int d_model;
  WeightType weight_dtype;
  int n_tables;  // 1, or 2 where learned positions are added
};

struct NormShape {
  int n_rows;  // tokens, or tokens × heads for QK-norm
  int dim;
  NormKind kind;
};

/// y[m, n] = x[m, k] · W[n, k]ᵀ (+ bias[n]).
struct LinearShape {
  int m;
  int n;
  int k;
  WeightType weight_dtype;
};

/// y[t, h] = W_h · x[t, h] for each head of each token, W_h [n, k]; `n_copied` elements of x[t, h] behind the first k
/// follow the result unchanged.
struct HeadLinearShape {
  int n_tokens;
  int n_heads;
  int n;
  int k;
  WeightType weight_dtype;
  int n_copied = 0;
};

/// Which elements of a head turn together: i and i + rotary_dim / 2, or 2i and 2i + 1.
enum class RopePairs : std::uint8_t { kHalves, kNeighbours };

struct RopeShape {
  int n_tokens;
  int n_heads;  // query and KV heads together
  int head_dim;
  int rotary_dim;
  RopePairs pairs = RopePairs::kHalves;
};

struct KvWriteShape {
  int n_tokens;
  int n_kv_heads;
  int head_dim;
  KvStorage kv;
};

/// New and all tokens of one sequence in a step.
struct SequenceLengths {
  int q_len = 0;
  int kv_len = 0;
};

/// Query i of a sequence sits at position kv_len − q_len + i and sees keys 0 … its own position (causal); where window > 0
/// the last `window` of them and the first `n_sink_tokens`. GQA: n_heads % n_kv_heads == 0.
struct AttentionShape {
  int batch_size;
  int q_len;
  int kv_len;  // tokens in the cache, the current ones included
  int n_heads;
  int n_kv_heads;
  int head_dim;
  int window;  // 0: all earlier tokens
  KvStorage kv = {};
  int n_sink_tokens = 0;
  std::span<const SequenceLengths> sequences = {};  // of a batch whose sequences differ; q_len and kv_len: the largest
};

struct ActivationShape {
  int n_tokens;
  int d_ff;
  Gate gate;
};

/// residual[i] += branch[i].
struct ResidualShape {
  int n_tokens;
  int d_model;
};

/// Greedy choice of the next token from `n_rows` rows of logits.
struct SampleShape {
  int n_rows;
  int vocab_size;
};

/// Writes `elements` per token into a cache that is not one of K and V heads of equal width.
struct CacheWriteShape {
  int n_tokens;
  int elements;
  KvStorage kv;
};

/// Attention beyond the plain kind: scores and values of different width, several heads per cached row, chunks, or a
/// choice of `top_k` tokens. Causal as AttentionShape is.
struct WideAttentionShape {
  int batch_size;
  int q_len;
  int kv_len;
  int n_heads;
  int score_dim;     // width of q·k
  int value_dim;     // width of what a head sums
  int row_elements;  // elements of the cache read per visible token, over all KV heads
  int window;        // 0: all earlier tokens
  int chunk;         // 0: none; else tokens see only the ones of their own chunk
  int top_k;         // 0: none; else at most so many tokens are read
  KvStorage kv;
  std::span<const SequenceLengths> sequences = {};  // of a batch whose sequences differ; q_len and kv_len: the largest
};

/// A causal convolution over the last `kernel` tokens of each channel.
struct ConvShape {
  int batch_size;
  int q_len;
  int channels;
  int kernel;
};

/// How a recurrent state is updated per token.
enum class ScanRule : std::uint8_t { kStateSpace, kDeltaRule };

/// A state [n_heads, rows, columns] per sequence, updated and read once per token.
struct ScanShape {
  int batch_size;
  int q_len;
  int n_heads;
  int rows;
  int columns;
  ScanRule rule;
  DType state_dtype;
};

/// y = x · W_eᵀ for each of the `n_active` experts e of a token, W_e [n, k].
struct ExpertsShape {
  int n_tokens;
  int n_experts;
  int n_active;
  int n;
  int k;
  WeightType weight_dtype;
};

/// The weighted sum of the outputs of a token's experts.
struct CombineShape {
  int n_tokens;
  int n_active;
  int d_model;
};

using OpShape = std::variant<EmbedShape, NormShape, LinearShape, RopeShape, KvWriteShape, AttentionShape,
                             ActivationShape, ResidualShape, SampleShape, CacheWriteShape, WideAttentionShape,
                             ConvShape, ScanShape, ExpertsShape, CombineShape, HeadLinearShape>;

}  // namespace dachlast
