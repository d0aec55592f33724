#pragma once

#include "core/model/model_spec.h"

namespace dachlast {

/// The bundled model: 260,032 parameters, Llama names, tied embeddings.
inline ModelSpec stories_260k() {
  ModelSpec model;
  model.naming = TensorNaming::kLlama;
  model.d_model = 64;
  model.vocab_size = 512;
  model.max_context = 512;
  model.tied_embeddings = true;
  LayerSpec layer;
  attention_of(layer).n_heads = 8;
  attention_of(layer).n_kv_heads = 4;
  attention_of(layer).head_dim = 8;
  mlp_of(layer).d_ff = 172;
  model.layers.assign(5, layer);
  return model;
}

/// One layer with sizes that differ from each other, so that no two shapes are mixed up unnoticed: d_model 6,
/// vocabulary 11, 3 query heads and 1 KV head of 4, d_ff 10.
inline ModelSpec tiny_model(TensorNaming naming) {
  ModelSpec model;
  model.naming = naming;
  model.d_model = 6;
  model.vocab_size = 11;
  model.max_context = 16;
  LayerSpec layer;
  attention_of(layer).n_heads = 3;
  attention_of(layer).n_kv_heads = 1;
  attention_of(layer).head_dim = 4;
  mlp_of(layer).d_ff = 10;
  model.layers.assign(1, layer);
  return model;
}

inline ModelSpec tiny_qwen3() {
  ModelSpec model = tiny_model(TensorNaming::kLlama);
  attention_of(model.layers[0]).qkv_bias = true;
  attention_of(model.layers[0]).o_bias = true;
  attention_of(model.layers[0]).qk_norm = QkNorm::kPerHead;
  mlp_of(model.layers[0]).bias = true;
  return model;
}

inline ModelSpec tiny_gemma3() {
  ModelSpec model = tiny_model(TensorNaming::kGemma);
  model.wiring = BlockWiring::kSandwich;
  model.tied_embeddings = true;
  model.norm.weight_offset = 1.0;
  attention_of(model.layers[0]).qk_norm = QkNorm::kPerHead;
  return model;
}

/// What Phi-1.5, GPT-2 and OPT share: LayerNorm, plain MLP, biases everywhere.
inline ModelSpec tiny_layer_norm_model(TensorNaming naming) {
  ModelSpec model = tiny_model(naming);
  model.norm.kind = NormKind::kLayer;
  LayerSpec& layer = model.layers[0];
  attention_of(layer).qkv_bias = true;
  attention_of(layer).o_bias = true;
  mlp_of(layer).gate = Gate::kNone;
  mlp_of(layer).bias = true;
  return model;
}

inline ModelSpec tiny_phi() {
  ModelSpec model = tiny_layer_norm_model(TensorNaming::kPhi);
  model.wiring = BlockWiring::kParallel;
  model.lm_head_bias = true;
  return model;
}

inline ModelSpec tiny_gpt2() {
  ModelSpec model = tiny_layer_norm_model(TensorNaming::kGpt2);
  attention_of(model.layers[0]).n_kv_heads = 3;
  model.tied_embeddings = true;
  model.n_learned_positions = 16;
  return model;
}

inline ModelSpec tiny_opt() {
  ModelSpec model = tiny_layer_norm_model(TensorNaming::kOpt);
  model.tied_embeddings = true;
  model.n_learned_positions = 18;
  model.learned_position_offset = 2;
  return model;
}

}  // namespace dachlast
