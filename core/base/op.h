#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "core/base/dtype.h"

namespace dachlast {

/// The two parts of serving a request: reading the prompt, then producing token after token.
enum class Phase : std::uint8_t { kPrefill, kDecode };

constexpr std::string_view name_of(Phase phase) {
  return phase == Phase::kPrefill ? "prefill" : "decode";
}

/// What a decode step finds of the tokens before it.
enum class KvPolicy : std::uint8_t { kContiguous, kNone };  // kNone: every decode step recomputes the whole sequence

constexpr std::string_view name_of(KvPolicy policy) {
  return policy == KvPolicy::kContiguous ? "contiguous" : "none";
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
  kSample
};

inline constexpr int kOpKindCount = static_cast<int>(OpKind::kSample) + 1;

constexpr std::string_view name_of(OpKind kind) {
  constexpr std::string_view names[kOpKindCount] = {"embed",    "norm",      "qkv_proj", "qk_norm", "rope",
                                                    "kv_write", "attention", "o_proj",   "mlp_up",  "mlp_act",
                                                    "mlp_down", "residual",  "lm_head",  "sample"};
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
  DType weight_dtype;
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
  DType weight_dtype;
};

struct RopeShape {
  int n_tokens;
  int n_heads;  // query and KV heads together
  int head_dim;
  int rotary_dim;
};

struct KvWriteShape {
  int n_tokens;
  int n_kv_heads;
  int head_dim;
  DType kv_dtype;
};

/// Query i of a sequence sits at position kv_len − q_len + i and sees keys 0 … its own position (causal), the last
/// `window` of them where window > 0. GQA: n_heads % n_kv_heads == 0.
struct AttentionShape {
  int batch_size;
  int q_len;
  int kv_len;  // tokens in the cache, the current ones included
  int n_heads;
  int n_kv_heads;
  int head_dim;
  int window;  // 0: all earlier tokens
  DType kv_dtype;
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

using OpShape = std::variant<EmbedShape, NormShape, LinearShape, RopeShape, KvWriteShape, AttentionShape,
                             ActivationShape, ResidualShape, SampleShape>;

}  // namespace dachlast
