#include "core/model/families/common.h"
#include "core/model/families/family.h"

namespace dachlast {
namespace {

/// Scales of the scores: 1/sqrt(head_dim) unless switched off, divided again by the layer's number where asked for.
void read_scales(ConfigObject& config, ModelSpec& spec) {
  const bool by_head_dim = config.flag_or("scale_attn_weights", true);
  const bool by_layer = config.flag_or("scale_attn_by_inverse_layer_idx", false);
  for (std::size_t i = 0; i < spec.layers.size(); ++i) {
    AttentionSpec& attention = attention_of(spec.layers[i]);
    if (!by_head_dim) attention.scale = 1.0;
    if (by_layer) attention.scale /= static_cast<double>(i + 1);
  }
}

}  // namespace

/// Defaults of src/transformers/models/gpt2/configuration_gpt2.py. Every projection has a bias, the head has none
/// (src/transformers/models/gpt2/modeling_gpt2.py).
void read_gpt2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50257, .max_context = 1024, .tied_embeddings = true}, spec);
  config.ignore("n_ctx");  // an older name of n_positions, always equal to it
  refuse_if_set(config, "add_cross_attention", "cross-attention");
  spec.naming = TensorNaming::kGpt2;
  spec.wiring = BlockWiring::kSequential;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.n_learned_positions = spec.max_context;
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = true;
  attention.o_bias = true;
  const MlpSpec mlp{.d_ff = config.size_or("n_inner", 4 * spec.d_model, size_limit::kFfWidth),
                    .activation = read_activation(config, "activation_function", "gelu_new"),
                    .gate = Gate::kNone,
                    .bias = true};
  fill_layers(spec, read_n_layers(config), attention, mlp);
  read_scales(config, spec);
}

}  // namespace dachlast
