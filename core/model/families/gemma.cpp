#include <cmath>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"
#include "core/model/families/towers.h"

namespace dachlast {
namespace {

/// What all Gemmas share: norms whose stored weight w means (1 + w), embeddings scaled by sqrt(d_model), gated GELU.
DenseBlock read_gemma_block(ConfigObject& config, ModelSpec& spec, const HeadDefaults& heads) {
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  spec.norm.weight_offset = 1.0;
  spec.embed_scale = std::sqrt(static_cast<double>(spec.d_model));
  refuse_if_set(config, "use_bidirectional_attention", "attention to later tokens");
  DenseBlock layer;
  layer.attention = read_heads(config, spec, heads);
  const bool bias = config.flag_or("attention_bias", false);
  layer.attention.qkv_bias = bias;
  layer.attention.o_bias = bias;
  // "hidden_act" says "gelu" in configs whose code runs the tanh form: src/transformers/models/gemma/modeling_gemma.py.
  config.ignore("hidden_act");
  layer.mlp = read_gated_mlp(config, read_activation(config, "hidden_activation", "gelu_pytorch_tanh"));
  return layer;
}

/// Gemma 2 and 3: scores scaled by 1/sqrt(query_pre_attn_scalar), soft caps, sandwich norms.
void read_gemma2_extras(ConfigObject& config, ModelSpec& spec, AttentionSpec& attention) {
  spec.naming = TensorNaming::kGemma;
  spec.wiring = BlockWiring::kSandwich;
  attention.scale = 1.0 / std::sqrt(config.positive_or("query_pre_attn_scalar", 256));
}

/// A soft cap under `key`: `absent` where the key is left out, none where it is null.
double read_softcap(ConfigObject& config, const std::string& key, double absent) {
  if (!config.contains(key)) return absent;
  return config.has_value(key) ? config.positive(key) : 0.0;
}

/// The rope of sliding layers: its own base, never scaled.
RopeSpec read_local_rope(ConfigObject& config, const RopeSpec& global) {
  return {.theta = config.positive_or("rope_local_base_freq", 10000.0), .rotary_dim = global.rotary_dim, .scaling = {}};
}

struct Gemma3Ropes {
  RopeSpec global;
  RopeSpec local;
};

/// One object per kind of layer in newer configs: "rope_parameters": {"full_attention": …, "sliding_attention": …}.
Gemma3Ropes read_nested_ropes(ConfigObject& config, ModelSpec& spec, int head_dim) {
  ConfigObject by_kind = config.object("rope_parameters");
  ConfigObject full = by_kind.object("full_attention");
  ConfigObject sliding = by_kind.object("sliding_attention");
  Gemma3Ropes ropes;
  ropes.global = {.theta = full.positive_or("rope_theta", 1e6), .rotary_dim = head_dim, .scaling = {}};
  ropes.global.scaling = read_rope_scaling(full, config, spec, ropes.global, {});
  ropes.local = {.theta = sliding.positive_or("rope_theta", 1e4), .rotary_dim = head_dim, .scaling = {}};
  ropes.local.scaling = read_rope_scaling(sliding, config, spec, ropes.local, {});
  full.warn_about_unread_keys();
  sliding.warn_about_unread_keys();
  by_kind.warn_about_unread_keys();
  return ropes;
}

Gemma3Ropes read_gemma3_ropes(ConfigObject& config, ModelSpec& spec, int head_dim) {
  if (config.has_value("rope_parameters") && config.object("rope_parameters").has_value("full_attention"))
    return read_nested_ropes(config, spec, head_dim);
  const RopeSpec global = read_rope(config, spec, head_dim, {.theta = 1e6});
  return {global, read_local_rope(config, global)};
}

}  // namespace

/// Defaults of src/transformers/models/gemma/configuration_gemma.py. Tensor names are Llama's.
void read_gemma(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 256000, .max_context = 8192, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kLlama;
  spec.wiring = BlockWiring::kSequential;
  DenseBlock layer = read_gemma_block(config, spec, {.n_heads = {}, .n_kv_heads = 16, .head_dim = 256});
  layer.attention.rope = read_rope(config, spec, layer.attention.head_dim, {});
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
}

/// Defaults of src/transformers/models/gemma2/configuration_gemma2.py: every other layer slides, the first one does.
void read_gemma2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 256000, .max_context = 8192, .tied_embeddings = true}, spec);
  DenseBlock layer = read_gemma_block(config, spec, {.n_heads = {}, .n_kv_heads = 4, .head_dim = 256});
  read_gemma2_extras(config, spec, layer.attention);
  layer.attention.softcap = read_softcap(config, "attn_logit_softcapping", 50.0);
  spec.logit_softcap = read_softcap(config, "final_logit_softcapping", 30.0);
  layer.attention.rope = read_rope(config, spec, layer.attention.head_dim, {});
  const int window = read_window(config, spec, 4096);
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
  const auto sliding = read_sliding_layers(config, spec.n_layers(), [](int i) { return i % 2 == 0; });
  for (std::size_t i = 0; i < spec.layers.size(); ++i) attention_of(spec.layers[i]).window = sliding[i] ? window : 0;
}

/// Defaults of src/transformers/models/gemma3/configuration_gemma3.py (Gemma3TextConfig): every sixth layer sees all
/// tokens.
void read_gemma3_text(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 262208, .max_context = 131072, .tied_embeddings = true}, spec);
  DenseBlock layer = read_gemma_block(config, spec, {.n_heads = 8, .n_kv_heads = 4, .head_dim = 256});
  read_gemma2_extras(config, spec, layer.attention);
  layer.attention.qk_norm = QkNorm::kPerHead;
  layer.attention.softcap = read_softcap(config, "attn_logit_softcapping", 0.0);
  spec.logit_softcap = read_softcap(config, "final_logit_softcapping", 0.0);
  const Gemma3Ropes ropes = read_gemma3_ropes(config, spec, layer.attention.head_dim);
  const int window = read_window(config, spec, 4096);
  const int pattern =
      config.size_or(config.first_of({"sliding_window_pattern", "_sliding_window_pattern"}), 6, size_limit::kLayers);
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
  const auto sliding = read_sliding_layers(config, spec.n_layers(), [&](int i) { return (i + 1) % pattern != 0; });
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    attention_of(spec.layers[i]).window = sliding[i] ? window : 0;
    attention_of(spec.layers[i]).rope = sliding[i] ? ropes.local : ropes.global;
  }
}

/// The text model inside a Gemma 3 that also reads pictures.
void read_gemma3(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_gemma3_text);
  read_siglip_tower(config, spec);
}

}  // namespace dachlast
