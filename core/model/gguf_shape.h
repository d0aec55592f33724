#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/model/model_spec.h"

namespace dachlast {

/// Attention with heads of its own, as GGUF metadata states it.
struct GgufAttention {
  int n_heads = 0;
  int n_kv_heads = 0;
  int k_head_dim = 0;
  int v_head_dim = 0;
  int window = 0;  // 0: all earlier tokens
  std::int64_t qk_norm_elements = 0;
  bool qkv_bias = false;
  bool o_bias = false;
  bool fused_qkv = false;          // one matrix attn_qkv
  bool output_gate = false;        // the query matrix yields a gate as wide as the queries too
  bool values_are_keys = false;    // no value matrix; both are cached
  bool reads_other_cache = false;  // keeps no keys and values of its own
};

/// Multi-head latent attention (architecture "deepseek2").
struct GgufLatentAttention {
  int n_heads = 0;
  int q_lora_rank = 0;  // 0: one query matrix
  int kv_lora_rank = 0;
  int nope_head_dim = 0;
  int rope_head_dim = 0;
  int v_head_dim = 0;
};

/// A layer whose memory of earlier tokens does not grow: state-space and linear-attention layers.
struct GgufRecurrent {
  std::int64_t conv_elements = 0;   // kept per sequence (llama.cpp's n_embd_r), 32-bit floats
  std::int64_t state_elements = 0;  // kept per sequence (n_embd_s), 32-bit floats
};

using GgufMixer = std::variant<std::monostate, GgufAttention, GgufLatentAttention, GgufRecurrent>;

enum class GgufRouter { kSoftmax, kSigmoid };

struct GgufExperts {
  int n_experts = 0;
  int n_active = 0;
  int d_ff = 0;
  int shared_d_ff = 0;  // 0: none
  GgufRouter router = GgufRouter::kSoftmax;
  bool selection_bias = false;
  bool normalized = false;  // weights of the chosen experts sum to 1
  bool scaled = false;      // … times a factor
};

struct GgufLayer {
  GgufMixer mixer;
  int d_ff = 0;  // of a dense MLP; 0: none
  Gate gate = Gate::kGated;
  bool fused_gate = false;  // gate and up in one matrix ffn_up
  bool mlp_bias = false;
  std::optional<GgufExperts> experts;
  std::int64_t unnamed_elements = 0;  // of further tensors: projections of recurrent layers, sinks, …
};

/// The sizes of a model that llama.cpp's layout rules depend on.
struct GgufShape {
  std::string architecture;
  int d_model = 0;
  int vocab_size = 0;
  int n_learned_positions = 0;
  bool tied_embeddings = false;
  bool post_norms = false;  // each branch is normed again before it is added
  bool scaled_embeddings = false;
  NormKind norm = NormKind::kRms;
  std::vector<GgufLayer> layers;

  int n_layers() const { return static_cast<int>(layers.size()); }
};

GgufShape gguf_shape(const ModelSpec& model);

/// Which of the up-projections of latent attention a file holds: their product form kv_b (converted before April 2025),
/// the split forms k_b and v_b (llama.cpp since), or all three (ik_llama.cpp until May 2025).
enum class LatentMatrices { kJoint, kSplit, kBoth };

/// A tensor of a GGUF file before it is given a type: `count` equal matrices of `rows` rows of `columns` elements.
struct GgufTensorShape {
  std::string_view name;  // without "blk.N." and ".weight": "attn_q"
  int layer = -1;         // -1 outside the layers
  std::int64_t columns = 0;
  std::int64_t rows = 1;
  std::int64_t count = 1;

  std::int64_t elements() const { return columns * rows * count; }
  bool is_vector() const { return rows == 1 && count == 1; }
};

/// Every tensor llama.cpp's converter writes for the model, embedding first, then layer after layer, the head last.
std::vector<GgufTensorShape> gguf_tensor_shapes(const GgufShape& shape, LatentMatrices latent);

/// The form of the latent matrices whose parameter count comes closest to the one a log states: the joint and the
/// split form differ by nothing, both together by n_layers · n_heads · kv_lora_rank · (nope + v).
LatentMatrices latent_matrices_of(const GgufShape& shape, double stated_parameters);

}  // namespace dachlast
