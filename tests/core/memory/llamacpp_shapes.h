#pragma once

#include "core/model/gguf_mix.h"
#include "core/model/gguf_shape.h"

namespace dachlast {

/// A model of equal layers with gated MLP and RMSNorm.
inline GgufShape dense_shape(int n_layers, int d_model, int n_heads, int n_kv_heads, int d_ff, int vocab_size) {
  GgufShape shape;
  shape.architecture = "llama";
  shape.d_model = d_model;
  shape.vocab_size = vocab_size;
  GgufAttention attention;
  attention.n_heads = n_heads;
  attention.n_kv_heads = n_kv_heads;
  attention.k_head_dim = attention.v_head_dim = d_model / n_heads;
  GgufLayer layer;
  layer.mixer = attention;
  layer.d_ff = d_ff;
  shape.layers.assign(static_cast<std::size_t>(n_layers), layer);
  return shape;
}

inline GgufShape llama_2_7b_shape() {
  return dense_shape(32, 4096, 32, 32, 11008, 32000);
}
inline GgufShape llama_3_8b_shape() {
  return dense_shape(32, 4096, 32, 8, 14336, 128256);
}

/// DeepSeek V3: 61 layers of latent attention, the first 3 with a dense MLP, the others with 256 experts.
inline GgufShape deepseek_v3_shape() {
  GgufShape shape;
  shape.architecture = "deepseek2";
  shape.d_model = 7168;
  shape.vocab_size = 129280;
  GgufLayer layer;
  layer.mixer = GgufLatentAttention{128, 1536, 512, 128, 64, 128};
  layer.d_ff = 18432;
  shape.layers.assign(3, layer);
  layer.d_ff = 0;
  GgufExperts experts;
  experts.n_experts = 256;
  experts.n_active = 8;
  experts.d_ff = experts.shared_d_ff = 2048;
  experts.router = GgufRouter::kSigmoid;
  experts.selection_bias = experts.normalized = experts.scaled = true;
  layer.experts = experts;
  shape.layers.resize(61, layer);
  return shape;
}

}  // namespace dachlast
