#include <fmt/core.h>

#include <algorithm>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// Families with LayerNorm: BLOOM, Falcon, GPT-J, GPT-NeoX, Cohere.
namespace dachlast {
namespace {

/// BLOOM was trained on 2,048 tokens; ALiBi itself sets no limit. Source arXiv:2211.05100, table 3.
constexpr int kBloomContext = 2048;

BlockWiring read_parallel(ConfigObject& config, const char* key, BlockWiring parallel) {
  return config.flag_or(key, true) ? parallel : BlockWiring::kSequential;
}

}  // namespace

/// Defaults of src/transformers/models/bloom/configuration_bloom.py: ALiBi, normed embeddings, biases everywhere.
void read_bloom(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 250880, .max_context = kBloomContext, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kNone;
  spec.embedding_norm = true;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = attention.o_bias = true;
  attention.alibi = true;
  ignore_keys(config, {"offset_alibi", "apply_residual_connection_post_layernorm", "slow_but_exact",
                       "attention_softmax_in_fp32", "masked_softmax_fusion", "skip_bias_add", "skip_bias_add_qkv",
                       "bias_dropout_fusion", "hidden_dropout_prob"});
  const MlpSpec mlp{.d_ff = config.size_or("n_inner", 4 * spec.d_model, size_limit::kFfWidth),
                    .activation = Activation::kGeluTanh,
                    .gate = Gate::kNone,
                    .bias = true};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/falcon/configuration_falcon.py. The new architecture norms each branch by itself
/// and groups heads; the old one shares one norm and, with multi-query, one KV head.
void read_falcon(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 65024, .max_context = 2048, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  const bool grouped = config.flag_or("new_decoder_architecture", false);
  const bool one_kv_head = config.flag_or("multi_query", true) && !grouped;
  if (one_kv_head) config.ignore("num_kv_heads");
  AttentionSpec attention = read_heads(config, spec, {});
  if (one_kv_head) attention.n_kv_heads = 1;
  attention.qkv_bias = attention.o_bias = config.flag_or("bias", false);
  attention.alibi = config.flag_or("alibi", false);
  if (!attention.alibi) attention.rope = read_rope(config, spec, attention.head_dim, {});
  const bool two_norms = grouped && config.count_or("num_ln_in_parallel_attn", 2, 2) == 2;
  spec.wiring =
      read_parallel(config, "parallel_attn", two_norms ? BlockWiring::kParallelTwoNorms : BlockWiring::kParallel);
  const MlpSpec mlp{.d_ff = config.size_or("ffn_hidden_size", 4 * spec.d_model, size_limit::kFfWidth),
                    .activation = read_activation(config, "activation", "gelu"),
                    .gate = Gate::kNone,
                    .bias = attention.qkv_bias};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/gptj/configuration_gptj.py: one norm before both branches, biases in the MLP and
/// the head alone (src/transformers/models/gptj/modeling_gptj.py).
void read_gptj(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50400, .max_context = 2048, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.wiring = BlockWiring::kParallel;
  spec.lm_head_bias = true;
  ignore_keys(config, {"rotary", "scale_attn_weights"});  // true in every checkpoint, and its code reads neither
  AttentionSpec attention = read_heads(config, spec, {});
  const int rotary_dim = config.size_or("rotary_dim", 64, size_limit::kHeadDim);
  attention.rope = RopeSpec{.theta = 10000.0, .rotary_dim = std::min(rotary_dim, attention.head_dim), .scaling = {}};
  const MlpSpec mlp{.d_ff = config.size_or("n_inner", 4 * spec.d_model, size_limit::kFfWidth),
                    .activation = read_activation(config, "activation_function", "gelu_new"),
                    .gate = Gate::kNone,
                    .bias = true};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/gpt_neox/configuration_gpt_neox.py.
void read_gpt_neox(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50432, .max_context = 2048, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.wiring = read_parallel(config, "use_parallel_residual", BlockWiring::kParallelTwoNorms);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", true);
  attention.rope = read_rope(config, spec, attention.head_dim,
                             {.theta = config.positive_or("rotary_emb_base", 10000.0),
                              .partial_rotary_factor = config.positive_or("rotary_pct", 0.25)});
  const MlpSpec mlp{.d_ff = config.size("intermediate_size", size_limit::kFfWidth),
                    .activation = read_activation(config, "hidden_act", "gelu"),
                    .gate = Gate::kNone,
                    .bias = true};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/cohere/configuration_cohere.py: one LayerNorm without bias before both branches.
void read_cohere(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 256000, .max_context = 8192, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kNone;
  spec.wiring = BlockWiring::kParallel;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.norm.layer_bias = false;
  spec.logit_scale = config.positive_or("logit_scale", 0.0625);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  if (config.flag_or("use_qk_norm", false)) attention.qk_norm = QkNorm::kEachHead;
  attention.rope = read_rope(config, spec, attention.head_dim, {});
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

}  // namespace dachlast
