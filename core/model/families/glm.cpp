#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// Dense GLM models.
namespace dachlast {

namespace {

enum class GlmBiases { kByDefault, kWhereStated };

/// q, k and v have a bias where the config or its class says so; o has none.
void read_dense_glm(ConfigObject& config, ModelSpec& spec, GlmBiases biases) {
  read_basics(config, {.vocab_size = 151552, .max_context = 131072, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1.5625e-7);
  AttentionSpec attention = read_heads(config, spec, {.n_heads = 32, .n_kv_heads = 2, .head_dim = 128});
  attention.qkv_bias = config.flag_or("attention_bias", biases == GlmBiases::kByDefault);
  attention.rope = read_rope(config, spec, attention.head_dim, {.partial_rotary_factor = 0.5});
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

}  // namespace

/// Source src/transformers/models/glm/{configuration,modeling}_glm.py
void read_glm(ConfigObject& config, ModelSpec& spec) {
  read_dense_glm(config, spec, GlmBiases::kByDefault);
}

/// GLM-4-0414 and GLM-Z1: each branch is normed again.
/// Source src/transformers/models/glm4/{configuration,modeling}_glm4.py
void read_glm4(ConfigObject& config, ModelSpec& spec) {
  read_dense_glm(config, spec, GlmBiases::kWhereStated);
  spec.wiring = BlockWiring::kSandwich;
}

/// Source THUDM/chatglm3-6b:{configuration,modeling}_chatglm.py; half of each head is rotated.
void read_chatglm(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 65024, .max_context = 2048, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  const bool rms = config.flag_or("rmsnorm", true);
  spec.norm = read_norm(config, rms ? NormKind::kRms : NormKind::kLayer, 1e-5);
  spec.final_norm = config.flag_or("post_layer_norm", true);
  const bool grouped = config.flag_or("multi_query_attention", false);
  if (!grouped) config.ignore("multi_query_group_num");
  AttentionSpec attention = read_heads(config, spec, {});
  if (!grouped) attention.n_kv_heads = attention.n_heads;
  const bool bias = config.flag_or("add_bias_linear", false);
  attention.qkv_bias = bias || config.flag_or("add_qkv_bias", false);
  attention.o_bias = bias;
  const double ratio = config.positive_or("rope_ratio", 1.0);
  if (ratio > 1e9) config.fail("rope_ratio", "is beyond every known model");
  const double base = 10000.0 * ratio;
  attention.rope = read_rope(config, spec, attention.head_dim, {.theta = base, .partial_rotary_factor = 0.5});
  const MlpSpec mlp{.d_ff = config.size("ffn_hidden_size", size_limit::kFfWidth),
                    .activation = Activation::kSilu,
                    .gate = Gate::kGated,
                    .bias = bias};
  // How its own code computes, with the same result.
  ignore_keys(config, {"original_rope", "apply_query_key_layer_scaling", "apply_residual_connection_post_layernorm",
                       "fp32_residual_connection", "attention_softmax_in_fp32", "bias_dropout_fusion",
                       "interleaved_qkv", "pre_seq_len", "prefix_projection", "quantization_bit"});
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

}  // namespace dachlast
