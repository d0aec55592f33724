#include "core/model/gguf_shape.h"

namespace dachlast {
namespace {

GgufAttention attention(const ModelSpec& model, const AttentionSpec& spec) {
  return {.n_heads = spec.n_heads,
          .n_kv_heads = spec.n_kv_heads,
          .k_head_dim = spec.head_dim,
          .v_head_dim = spec.head_dim,
          .window = spec.window,
          .qkv_bias = spec.qkv_bias,
          .o_bias = spec.o_bias,
          .qk_norm = spec.qk_norm,
          .fused_qkv = model.naming == TensorNaming::kPhi3 || model.naming == TensorNaming::kGpt2,
          .softcap = spec.softcap};
}

GgufLayer layer(const ModelSpec& model, const LayerSpec& spec) {
  return {.mixer = attention(model, spec.attention),
          .d_ff = spec.mlp.d_ff,
          .gate = spec.mlp.gate,
          .fused_gate = model.naming == TensorNaming::kPhi3,
          .mlp_bias = spec.mlp.bias,
          .experts = std::nullopt};
}

}  // namespace

GgufShape gguf_shape(const ModelSpec& model) {
  GgufShape shape{.architecture = model.architecture,
                  .d_model = model.d_model,
                  .vocab_size = model.vocab_size,
                  .n_learned_positions = model.n_learned_positions,
                  .tied_embeddings = model.tied_embeddings,
                  .post_norms = model.wiring == BlockWiring::kSandwich,
                  .scaled_embeddings = model.embed_scale != 1.0,
                  .norm = model.norm.kind,
                  .layers = {}};
  for (const LayerSpec& spec : model.layers) shape.layers.push_back(layer(model, spec));
  return shape;
}

}  // namespace dachlast
