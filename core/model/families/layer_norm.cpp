#include "core/model/families/common.h"
#include "core/model/families/family.h"

// Families with LayerNorm after BLOOM and GPT-NeoX: code models, Nemotron, StableLM, MPT, Command R7B and A.
namespace dachlast {
namespace {

MlpSpec read_plain_mlp(ConfigObject& config, const ModelSpec& spec, Activation activation) {
  const std::string key = config.first_of({"intermediate_size", "n_inner"});
  return {.d_ff = config.size_or(key, 4 * spec.d_model, size_limit::kFfWidth),
          .activation = activation,
          .gate = Gate::kNone};
}

constexpr int kCohereFullEvery = 4;  // Cohere 2: of four layers three slide

}  // namespace

/// Defaults of src/transformers/models/nemotron/configuration_nemotron.py: norms store w for (1 + w), half of each head is
/// rotated, the MLP squares a ReLU without a gate.
void read_nemotron(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 256000, .max_context = 4096, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.norm.weight_offset = 1.0;
  AttentionSpec attention = read_heads(config, spec, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  const double share = config.positive_or(config.first_of({"partial_rotary_factor", "rope_percent"}), 0.5);
  attention.rope = read_rope(config, spec, attention.head_dim, {.partial_rotary_factor = share});
  MlpSpec mlp = read_plain_mlp(config, spec, read_activation(config, "hidden_act", "relu2"));
  mlp.bias = config.flag_or("mlp_bias", false);
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/stablelm/configuration_stablelm.py: the 12 B model shares one norm between parallel
/// branches and norms each head.
void read_stablelm(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50304, .max_context = 4096, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  if (config.flag_or("use_parallel_residual", false)) spec.wiring = BlockWiring::kParallel;
  AttentionSpec attention = read_heads(config, spec, {.n_heads = {}, .n_kv_heads = 32, .head_dim = {}});
  attention.qkv_bias = config.flag_or("use_qkv_bias", false);
  if (config.flag_or("qk_layernorm", false)) attention.qk_norm = QkNorm::kEachHead;
  const double share = config.positive_or(config.first_of({"partial_rotary_factor", "rope_pct"}), 0.25);
  attention.rope = read_rope(config, spec, attention.head_dim, {.partial_rotary_factor = share});
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/starcoder2/configuration_starcoder2.py.
void read_starcoder2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 49152, .max_context = 4096, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  ignore_keys(config, {"norm_epsilon", "layer_norm_epsilon", "activation_function", "norm_type", "mlp_type",
                       "attention_softmax_in_fp32", "scale_attention_softmax_in_fp32", "scale_attn_weights"});
  AttentionSpec attention = read_heads(config, spec, {.n_heads = {}, .n_kv_heads = 2, .head_dim = {}});
  attention.qkv_bias = attention.o_bias = config.flag_or("use_bias", true);
  attention.rope = read_rope(config, spec, attention.head_dim, {});
  attention.window = read_window(config, spec, 0);
  MlpSpec mlp = read_plain_mlp(config, spec, read_activation(config, "hidden_act", "gelu_pytorch_tanh"));
  mlp.bias = attention.qkv_bias;
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Defaults of src/transformers/models/gpt_bigcode/configuration_gpt_bigcode.py: GPT-2 with one KV head.
void read_gpt_bigcode(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50257, .max_context = 1024, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.n_learned_positions = spec.max_context;
  ignore_keys(config, {"scale_attn_weights", "attention_softmax_in_fp32", "scale_attention_softmax_in_fp32",
                       "inference_runner", "max_batch_size", "max_sequence_length", "pad_key_length",
                       "pre_allocate_kv_cache", "validate_runner_input", "runner_max_sequence_length"});
  AttentionSpec attention = read_heads(config, spec, {});
  if (config.flag_or("multi_query", true)) attention.n_kv_heads = 1;
  attention.qkv_bias = attention.o_bias = true;
  MlpSpec mlp = read_plain_mlp(config, spec, read_activation(config, "activation_function", "gelu_pytorch_tanh"));
  mlp.bias = true;
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Source src/transformers/models/mpt/{configuration,modeling}_mpt.py: no biases at all, those of the norms included.
void read_mpt(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50368, .max_context = 2048, .tied_embeddings = true}, spec);
  if (!config.flag_or("no_bias", true)) config.fail("no_bias", "is false: biases in an MPT are not known here");
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kLayer, 1e-5);
  spec.norm.layer_bias = false;
  AttentionSpec attention = read_heads(config, spec, {});
  ConfigObject inner = config.object("attn_config");
  attention.alibi = inner.flag_or("alibi", true);
  refuse_if_set(inner, "qk_ln", "LayerNorm on queries and keys");
  attention.n_kv_heads = inner.size_or("kv_n_heads", attention.n_kv_heads, size_limit::kHeads);
  check_heads(inner, "kv_n_heads", attention);
  ignore_keys(inner, {"attn_impl", "attn_pdrop", "attn_type", "attn_uses_sequence_id", "clip_qkv", "prefix_lm",
                      "softmax_scale", "alibi_bias_max"});
  inner.warn_about_unread_keys();
  if (!attention.alibi && config.flag_or("learned_pos_emb", true)) spec.n_learned_positions = spec.max_context;
  ignore_keys(config, {"learned_pos_emb", "norm_type", "init_device", "init_config", "embedding_fraction",
                       "logit_scale", "verbose"});
  const int ratio = config.size_or("expansion_ratio", 4, 64);
  const MlpSpec mlp{.d_ff = product_within(config, "expansion_ratio", spec.d_model, ratio, size_limit::kFfWidth),
                    .activation = Activation::kGeluErf,
                    .gate = Gate::kNone};
  fill_layers(spec, read_n_layers(config), attention, mlp);
}

/// Source src/transformers/models/cohere2/{configuration,modeling}_cohere2.py: Cohere with windows in three layers of
/// four; the fourth sees all tokens and knows no positions.
void read_cohere2(ConfigObject& config, ModelSpec& spec) {
  read_cohere(config, spec);
  ignore_keys(config, {"cache_implementation", "order_of_interleaved_layers", "position_embedding_type", "rotary_pct",
                       "use_embedding_sharing", "use_gated_activation", "use_parallel_block", "use_parallel_embedding",
                       "use_qk_norm", "sliding_window_pattern"});
  const int window = read_window(config, spec, 4096);
  const auto sliding =
      read_sliding_layers(config, spec.n_layers(), [](int i) { return (i + 1) % kCohereFullEvery != 0; });
  set_windows(spec, sliding, window);
  for (std::size_t i = 0; i < spec.layers.size(); ++i)
    if (!sliding[i]) attention_of(spec.layers[i]).rope.reset();
}

}  // namespace dachlast
