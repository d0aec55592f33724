#pragma once

#include <cassert>
#include <optional>
#include <variant>

#include "core/base/dtype.h"
#include "core/base/op.h"
#include "core/model/rope_spec.h"

// The parts of a layer: how its tokens see each other (mixer) and what happens to each of them alone (feed-forward).
namespace dachlast {

// -------- mixers

/// What queries and keys are normed by before RoPE.
enum class QkNorm {
  kNone,
  kPerHead,     // RMSNorm over head_dim, one weight vector for all heads (Qwen 3, Gemma 3)
  kEachHead,    // norm over head_dim, a weight vector for each head (Command R+)
  kWholeWidth,  // RMSNorm over all heads together (OLMo 2, MiniMax M2)
  kUnweighted   // root mean square alone, nothing stored (Llama 4)
};

/// Attention of one layer. MHA, GQA, MQA by n_kv_heads = n_heads, between, 1.
struct AttentionSpec {
  int n_heads = 0;
  int n_kv_heads = 0;
  int head_dim = 0;
  int window = 0;         // 0: all earlier tokens
  int n_sink_tokens = 0;  // first tokens seen beside the window; what a cache makes of a model, see kv_spec.h
  double scale = 0.0;     // multiplies q·k; 1/sqrt(head_dim) unless the model says otherwise
  double softcap = 0.0;   // 0: none; else scores become cap · tanh(score / cap)
  bool qkv_bias = false;
  bool o_bias = false;
  QkNorm qk_norm = QkNorm::kNone;
  std::optional<RopeSpec> rope = {};  // empty: learned positions, ALiBi, or no positions at all (NoPE)

  std::optional<int> v_head_dim = {};  // where values are not as wide as keys (MiMo V2)
  int chunk = 0;                       // 0: none; else tokens see only the ones of their own chunk (Llama 4)
  bool output_gate = false;            // q_proj also yields a gate as wide as q for what attention returns (Qwen3-Next)
  bool sinks = false;                  // one learned score per head that takes part in the softmax (gpt-oss)
  bool alibi = false;                  // scores fall with distance, one slope per head, nothing stored (BLOOM)
  bool k_is_v = false;  // one projection yields K and V; the cache holds both, normed differently (Gemma 4)
  std::optional<int> shares_kv_with = {};  // layer whose cache this one reads, with no K, V of its own (Gemma 3n)

  int value_dim() const { return v_head_dim.value_or(head_dim); }
};

/// DeepSeek's sparse attention: a small attention whose scores choose the `top_k` tokens that the large one reads. It
/// keeps one key of `head_dim` per token.
/// Source   DeepSeek-V3.2-Exp technical report, section 2.1; deepseek-ai/DeepSeek-V3.2-Exp:inference/model.py.
struct IndexerSpec {
  int n_heads = 0;
  int head_dim = 0;
  int top_k = 0;
};

/// Multi-head latent attention: K and V of all heads are rebuilt from one latent of `kv_lora_rank` per token, beside
/// one rotated key of `qk_rope_head_dim` that all heads share.
/// Source   DeepSeek-V2, arXiv:2405.04434, section 2.1.
struct MlaSpec {
  int n_heads = 0;
  int q_lora_rank = 0;  // 0: queries are projected in one step
  int kv_lora_rank = 0;
  int qk_nope_head_dim = 0;
  int qk_rope_head_dim = 0;
  int v_head_dim = 0;
  double scale = 0.0;
  bool bias = false;  // of the two down projections and of the output
  RopeSpec rope = {};
  std::optional<IndexerSpec> indexer = {};
  int window = 0;         // 0: all earlier tokens; else what a cache makes of the model, see kv_spec.h
  int n_sink_tokens = 0;  // likewise

  /// Of a row of the cache: the latent, and behind it the rotated key.
  int latent_width() const { return kv_lora_rank + qk_rope_head_dim; }
  int qk_head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
};

/// Linear attention by the gated delta rule: each value head keeps a matrix [k_head_dim, v_head_dim] in place of a
/// cache.
/// Source   Gated Delta Networks, arXiv:2412.06464; Qwen3-Next.
struct GatedDeltaNetSpec {
  int n_k_heads = 0;
  int n_v_heads = 0;
  int k_head_dim = 0;
  int v_head_dim = 0;
  int conv_kernel = 0;                    // tokens under the short convolution over q, k and v
  std::optional<DType> state_dtype = {};  // where the config states it

  int key_width() const { return n_k_heads * k_head_dim; }
  int value_width() const { return n_v_heads * v_head_dim; }
};

/// Mamba: each of `d_inner` channels keeps a state of `d_state`.
/// Source   arXiv:2312.00752; Jamba norms dt, B and C as well.
struct Mamba1Spec {
  int d_inner = 0;
  int d_state = 0;
  int dt_rank = 0;
  int conv_kernel = 0;
  bool conv_bias = false;
  bool proj_bias = false;
  bool inner_norms = false;
};

/// Mamba 2: each head keeps a matrix [head_dim, d_state]; heads of a group share B and C.
/// Source   arXiv:2405.21060.
struct Mamba2Spec {
  int n_heads = 0;
  int head_dim = 0;
  int d_state = 0;
  int n_groups = 0;
  int conv_kernel = 0;
  bool conv_bias = false;
  bool proj_bias = false;
  std::optional<DType> state_dtype = {};  // where the config states it

  int d_inner() const { return n_heads * head_dim; }
};

/// A projection d_model × d_model where a pruned model had attention (DeciLM "replace_with_linear").
struct LinearMixer {};

/// No mixer: blocks of an MLP alone, as in Nemotron-H and in pruned models.
struct NoMixer {};

using Mixer = std::variant<AttentionSpec, MlaSpec, GatedDeltaNetSpec, Mamba1Spec, Mamba2Spec, LinearMixer, NoMixer>;

// -------- feed-forward

struct MlpSpec {
  int d_ff = 0;
  Activation activation = Activation::kSilu;
  Gate gate = Gate::kGated;
  bool bias = false;
};

/// Routed experts: each token passes `n_active` of `n_experts`, and the shared expert where there is one.
struct MoeSpec {
  int n_experts = 0;
  int n_active = 0;
  int d_ff = 0;         // of one expert
  int shared_d_ff = 0;  // 0: no shared expert; else all of them together, which one MLP of that width equals
  Activation activation = Activation::kSilu;
  Gate gate = Gate::kGated;
  bool bias = false;             // of the experts (gpt-oss)
  bool router_bias = false;      // of the router's projection
  bool correction_bias = false;  // one number per expert that only takes part in choosing (DeepSeek V3)
  bool shared_gate = false;      // the shared expert is weighed by a sigmoid of one projection (Qwen 2 MoE)
  bool branch_norms = false;  // Gemma 4: the dense MLP and the experts have norms of their own, and each expert a scale
};

/// No feed-forward: blocks of a mixer alone.
struct NoFeedForward {};

using FeedForward = std::variant<MlpSpec, MoeSpec, NoFeedForward>;

/// One block. Made by default it is the usual one: attention and an MLP.
struct LayerSpec {
  Mixer mixer;
  FeedForward feed_forward;
};

/// The rotary embedding of a layer; nullptr where it has none.
inline const RopeSpec* rope_of(const LayerSpec& layer) {
  if (const auto* latent = std::get_if<MlaSpec>(&layer.mixer)) return &latent->rope;
  const auto* attention = std::get_if<AttentionSpec>(&layer.mixer);
  return attention != nullptr && attention->rope ? &*attention->rope : nullptr;
}

// -------- for code that runs dense models only, whose kernels `missing_kernels` has checked

inline AttentionSpec& attention_of(LayerSpec& layer) {
  assert(std::holds_alternative<AttentionSpec>(layer.mixer));
  return *std::get_if<AttentionSpec>(&layer.mixer);
}
inline const AttentionSpec& attention_of(const LayerSpec& layer) {
  assert(std::holds_alternative<AttentionSpec>(layer.mixer));
  return *std::get_if<AttentionSpec>(&layer.mixer);
}
inline MlpSpec& mlp_of(LayerSpec& layer) {
  assert(std::holds_alternative<MlpSpec>(layer.feed_forward));
  return *std::get_if<MlpSpec>(&layer.feed_forward);
}
inline const MlpSpec& mlp_of(const LayerSpec& layer) {
  assert(std::holds_alternative<MlpSpec>(layer.feed_forward));
  return *std::get_if<MlpSpec>(&layer.feed_forward);
}

inline bool has_mixer(const LayerSpec& layer) {
  return !std::holds_alternative<NoMixer>(layer.mixer);
}
inline bool has_feed_forward(const LayerSpec& layer) {
  return !std::holds_alternative<NoFeedForward>(layer.feed_forward);
}

}  // namespace dachlast
