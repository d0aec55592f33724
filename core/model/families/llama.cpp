#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// Llama and the families that differ from it in a bias, a window or a norm.
namespace dachlast {
namespace {

/// A block whose tensors carry Llama's names, which the engine can run.
DenseBlock read_llama_block(ConfigObject& config, ModelSpec& spec, const HeadDefaults& heads) {
  DenseBlock layer = read_rms_block(config, spec, heads);
  spec.naming = TensorNaming::kLlama;
  return layer;
}

/// Qwen: layers from max_window_layers on slide, and only where use_sliding_window says so.
void read_qwen_windows(ConfigObject& config, ModelSpec& spec) {
  const bool sliding_enabled = config.flag_or("use_sliding_window", false);
  const int window = read_window(config, spec, 4096);
  const int n_full = config.size_or("max_window_layers", 28, size_limit::kLayers);
  const auto sliding =
      read_sliding_layers(config, spec.n_layers(), [&](int layer) { return sliding_enabled && layer >= n_full; });
  set_windows(spec, sliding, window);
}

}  // namespace

/// Defaults of src/transformers/models/llama/configuration_llama.py.
void read_llama(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32000, .max_context = 2048, .tied_embeddings = false}, spec);
  DenseBlock layer = read_llama_block(config, spec, {});
  const bool bias = config.flag_or("attention_bias", false);
  layer.attention.qkv_bias = bias;
  layer.attention.o_bias = bias;
  layer.mlp.bias = config.flag_or("mlp_bias", false);
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
}

/// Defaults of src/transformers/models/granite/configuration_granite.py: Llama with scales.
void read_granite(ConfigObject& config, ModelSpec& spec) {
  read_llama(config, spec);
  read_granite_scales(config, spec);
  const double scale = config.positive_or("attention_multiplier", 1.0);
  for (LayerSpec& layer : spec.layers) attention_of(layer).scale = scale;
}

void read_granite_scales(ConfigObject& config, ModelSpec& spec) {
  spec.embed_scale = config.positive_or("embedding_multiplier", 1.0);
  spec.residual_scale = config.positive_or("residual_multiplier", 1.0);
  spec.logit_scale = 1.0 / config.positive_or("logits_scaling", 1.0);
}

/// Defaults of src/transformers/models/olmo2/configuration_olmo2.py: norms behind the branches, and over all queries
/// and all keys.
void read_olmo2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50304, .max_context = 2048, .tied_embeddings = false}, spec);
  DenseBlock layer = read_llama_block(config, spec, {});
  spec.naming = TensorNaming::kNone;
  spec.wiring = BlockWiring::kBranchNorm;
  layer.attention.qkv_bias = layer.attention.o_bias = config.flag_or("attention_bias", false);
  layer.attention.qk_norm = QkNorm::kWholeWidth;
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
}

/// Defaults of src/transformers/models/mistral/configuration_mistral.py: 8 KV heads and a window of 4096 tokens where
/// the keys are absent; null means no window.
void read_mistral(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32000, .max_context = 131072, .tied_embeddings = false}, spec);
  DenseBlock layer = read_llama_block(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = {}});
  layer.attention.window = read_window(config, spec, 4096);
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
}

/// Defaults of src/transformers/models/qwen2/configuration_qwen2.py. q, k and v carry a bias though no key says so
/// (src/transformers/models/qwen2/modeling_qwen2.py).
void read_qwen2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151936, .max_context = 32768, .tied_embeddings = false}, spec);
  DenseBlock layer = read_llama_block(config, spec, {.n_heads = {}, .n_kv_heads = 32, .head_dim = {}});
  layer.attention.qkv_bias = true;
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
  read_qwen_windows(config, spec);
}

/// Defaults of src/transformers/models/qwen3/configuration_qwen3.py.
void read_qwen3(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151936, .max_context = 32768, .tied_embeddings = false}, spec);
  DenseBlock layer = read_llama_block(config, spec, {.n_heads = {}, .n_kv_heads = 32, .head_dim = 128});
  const bool bias = config.flag_or("attention_bias", false);
  layer.attention.qkv_bias = bias;
  layer.attention.o_bias = bias;
  layer.attention.qk_norm = QkNorm::kPerHead;
  fill_layers(spec, read_n_layers(config), layer.attention, layer.mlp);
  read_qwen_windows(config, spec);
}

}  // namespace dachlast
