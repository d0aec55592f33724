#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

namespace dachlast {

/// Phi-1, 1.5 and 2, in the spelling of Transformers and in the older one of their authors (n_embd, n_head,
/// rotary_dim). Defaults of src/transformers/models/phi/configuration_phi.py; every projection and the head have a bias
/// (src/transformers/models/phi/modeling_phi.py).
void read_phi(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 51200, .max_context = 2048, .tied_embeddings = false}, spec);
  refuse_if_set(config, "qk_layernorm", "LayerNorm on queries and keys");
  spec.naming = TensorNaming::kPhi;
  spec.wiring = BlockWiring::kParallel;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.lm_head_bias = true;
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = true;
  attention.o_bias = true;
  attention.rope = read_rope(config, spec, attention.head_dim, {.partial_rotary_factor = 0.5});
  const std::string width_key = config.first_of({"intermediate_size", "n_inner"});
  const std::string activation_key = config.first_of({"hidden_act", "activation_function"});
  const MlpSpec mlp{.d_ff = config.size_or(width_key, 4 * spec.d_model, size_limit::kFfWidth),
                    .activation = read_activation(config, activation_key, "gelu_new"),
                    .gate = Gate::kNone,
                    .bias = true};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Phi-3, 3.5 and 4. Defaults of src/transformers/models/phi3/configuration_phi3.py; no projection has a bias
/// (src/transformers/models/phi3/modeling_phi3.py).
void read_phi3(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32064, .max_context = 4096, .tied_embeddings = false}, spec);
  for (const char* key : {"attention_bias", "mlp_bias", "lm_head_bias"}) refuse_if_set(config, key, "a bias in Phi-3");
  spec.naming = TensorNaming::kPhi3;
  spec.wiring = BlockWiring::kSequential;
  spec.norm = read_norm(config, NormKind::kRms, 1e-5);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.rope = read_rope(config, spec, attention.head_dim, {.phi3 = true});
  attention.window = read_window(config, spec, 0);
  config.ignore("original_max_position_embeddings");  // without scaling it has nothing to act on
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

}  // namespace dachlast
