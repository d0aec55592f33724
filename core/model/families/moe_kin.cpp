#include <fmt/core.h>

#include <algorithm>

#include "core/model/families/common.h"
#include "core/model/families/family.h"

// More models with usual attention and routed experts: OLMoE, DeepSeekMoE, dots.llm1, ERNIE 4.5, Hunyuan, Ling,
// Phi-3.5-MoE, Grok 1.
namespace dachlast {
namespace {

/// The first `n_dense` layers have a plain MLP.
void fill_after_dense(ConfigObject& config, ModelSpec& spec, const AttentionSpec& attention, const MoeSpec& moe,
                      int n_dense) {
  const MlpSpec mlp = read_gated_mlp(config, moe.activation);
  const int n_layers = read_n_layers(config);
  for (int i = 0; i < n_layers; ++i)
    spec.layers.push_back({attention, i < n_dense ? FeedForward(mlp) : FeedForward(moe)});
}

/// Routed and shared experts under DeepSeek's names.
MoeSpec read_deepseek_experts(ConfigObject& config) {
  MoeSpec moe = read_moe(config, {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  const int n_shared = config.count_or("n_shared_experts", 0, size_limit::kExperts);
  moe.shared_d_ff = product_within(config, "n_shared_experts", moe.d_ff, n_shared, size_limit::kFfWidth);
  ignore_routing(config);
  return moe;
}

/// A number, or a list with the same number for each layer.
int read_uniform(ConfigObject& config, const std::string& key, int fallback, int limit) {
  if (!config.has_value(key) || !config.is_list(key)) return config.size_or(key, fallback, limit);
  const std::vector<int> values = config.count_list(key, limit);
  if (values.empty() || std::ranges::any_of(values, [&](int value) { return value != values[0] || value == 0; }))
    config.fail(key, "differs from layer to layer, which is not known here");
  return values[0];
}

/// Ling 2.0 states the width of its shared expert, Ling 1 gives each the width of a routed one.
int read_bailing_shared_width(ConfigObject& config, const MoeSpec& moe) {
  const int n_shared = config.count_or("num_shared_experts", 0, size_limit::kExperts);
  const int width = config.size_or("moe_shared_expert_intermediate_size", moe.d_ff, size_limit::kFfWidth);
  return product_within(config, "num_shared_experts", width, n_shared, size_limit::kFfWidth);
}

}  // namespace

/// Defaults of src/transformers/models/olmoe/configuration_olmoe.py; queries and keys are normed over all heads.
void read_olmoe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 50304, .max_context = 4096, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  attention.qk_norm = QkNorm::kWholeWidth;
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  ignore_keys(config, {"norm_topk_prob", "clip_qkv"});
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

/// Source deepseek-ai/deepseek-moe-16b-base:{configuration,modeling}_deepseek.py: before latent attention.
void read_deepseek_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 102400, .max_context = 2048, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  if (config.size_or("moe_layer_freq", 1, size_limit::kLayers) != 1)
    config.fail("moe_layer_freq", "is not 1: dense layers between routed ones are not known here");
  const MoeSpec moe = read_deepseek_experts(config);
  fill_after_dense(config, spec, attention, moe, config.count_or("first_k_dense_replace", 0, size_limit::kLayers));
}

/// Source src/transformers/models/dots1/{configuration,modeling}_dots1.py: queries and keys normed, DeepSeek's experts.
void read_dots1(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 152064, .max_context = 2048, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 32, .head_dim = {}});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  attention.qk_norm = QkNorm::kPerHead;
  MoeSpec moe = read_deepseek_experts(config);
  moe.correction_bias = true;
  // Layers from max_window_layers on slide; in every published config that is the number of layers.
  ignore_keys(config, {"sliding_window", "max_window_layers", "moe_layer_freq", "layer_types"});
  fill_after_dense(config, spec, attention, moe, config.count_or("first_k_dense_replace", 0, size_limit::kLayers));
}

/// Source src/transformers/models/ernie4_5_moe/{configuration,modeling}_ernie4_5_moe.py: layers from
/// "moe_layer_start_index" to "moe_layer_end_index" have experts; −1 is the last one.
void read_ernie45_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 103424, .max_context = 131072, .tied_embeddings = true}, spec);
  AttentionSpec attention =
      read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 4, .head_dim = {}}, {.theta = 500000.0});
  const bool bias = config.flag_or("use_bias", false);
  attention.qkv_bias = attention.o_bias = bias;
  MoeSpec moe = read_moe(config, {"moe_num_experts", "moe_k", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.correction_bias = config.flag_or("moe_use_aux_free", true);
  const int n_shared = config.count_or("moe_num_shared_experts", 2, size_limit::kExperts);
  moe.shared_d_ff = product_within(config, "moe_num_shared_experts", moe.d_ff, n_shared, size_limit::kFfWidth);
  MlpSpec mlp = read_gated_mlp(config, moe.activation);
  mlp.bias = bias;
  const int n_layers = read_n_layers(config);
  const int first = config.count_or("moe_layer_start_index", 1, size_limit::kLayers);
  const bool to_end = config.is_marker("moe_layer_end_index", -1);
  const int last = to_end ? n_layers - 1 : config.count_or("moe_layer_end_index", n_layers - 1, size_limit::kLayers);
  const int interval = config.size_or("moe_layer_interval", 1, size_limit::kLayers);
  ignore_keys(config, {"moe_norm_min", "moe_capacity", "moe_gate", "num_nextn_predict_layers"});
  for (int i = 0; i < n_layers; ++i) {
    const bool routed = i >= first && i <= last && (i + 1) % interval == 0;
    spec.layers.push_back({attention, routed ? FeedForward(moe) : FeedForward(mlp)});
  }
}

/// Source src/transformers/models/hunyuan_v1_moe/{configuration,modeling}_hunyuan_v1_moe.py: queries and keys normed behind
/// RoPE, one shared expert as wide as a routed one.
void read_hunyuan_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 290943, .max_context = 2048, .tied_embeddings = false}, spec);
  refuse_if_set(config, "use_cla", "a KV cache shared between layers");
  refuse_if_set(config, "use_mla", "latent attention");
  AttentionSpec attention = read_routed_attention(config, spec, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  if (config.flag_or("use_qk_norm", true)) attention.qk_norm = QkNorm::kPerHead;
  const int width = config.size("intermediate_size", size_limit::kFfWidth);
  MoeSpec moe{.n_experts = config.size("num_experts", size_limit::kExperts),
              .n_active = read_uniform(config, "moe_topk", 1, size_limit::kExperts),
              .d_ff = read_uniform(config, "moe_intermediate_size", width, size_limit::kFfWidth)};
  if (moe.n_active > moe.n_experts) config.fail("moe_topk", "is more than the experts there are");
  const int n_shared = read_uniform(config, "num_shared_expert", 1, size_limit::kExperts);
  moe.shared_d_ff = product_within(config, "num_shared_expert", width, n_shared, size_limit::kFfWidth);
  moe.activation = read_activation(config, "hidden_act", "silu");
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

/// Source inclusionAI/Ling-mini-2.0:{configuration,modeling}_bailing_moe_v2.py and inclusionAI/Ling-lite:
/// modeling_bailing_moe.py, both under one model_type: the second generation norms queries and keys, rotates half of each
/// head and corrects its router's choice.
void read_bailing_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 126464, .max_context = 16384, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {});
  attention.qkv_bias = config.flag_or("use_qkv_bias", false);
  attention.o_bias = config.flag_or("use_bias", false);
  if (config.flag_or("use_qk_norm", false)) attention.qk_norm = QkNorm::kPerHead;
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.correction_bias = config.flag_or("moe_router_enable_expert_bias", false);
  moe.shared_d_ff = read_bailing_shared_width(config, moe);
  ignore_routing(config);
  ignore_keys(config, {"score_function", "router_dtype", "moe_router_enable_shared_expert", "norm_head", "norm_softmax",
                       "output_dropout", "rotary_type", "use_rmsnorm", "head_dtype", "multi_gate"});
  fill_after_dense(config, spec, attention, moe, config.count_or("first_k_dense_replace", 0, size_limit::kLayers));
  if (const int n_mtp = config.count_or("num_nextn_predict_layers", 0, size_limit::kLayers); n_mtp > 0)
    spec.mtp = MtpSpec{.layers = std::vector<LayerSpec>(static_cast<std::size_t>(n_mtp), {attention, moe})};
}

/// Source src/transformers/models/phimoe/{configuration,modeling}_phimoe.py: LayerNorm, biases in attention and head.
void read_phimoe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32064, .max_context = 131072, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = {}},
                                                  {.theta = 1e6, .phi3 = true});
  spec.norm.kind = NormKind::kLayer;
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  attention.window = read_window(config, spec, 0);
  spec.lm_head_bias = config.flag_or("lm_head_bias", false);
  MoeSpec moe = read_moe(config, {"num_local_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  ignore_keys(config, {"input_jitter_noise", "original_max_position_embeddings"});
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

/// Source xai-org/grok-1:model.py: sandwich norms, scores capped at 30, experts gated by GELU, the head is the embedding.
void read_grok1(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 131072, .max_context = 8192, .tied_embeddings = true}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = {}});
  spec.wiring = BlockWiring::kSandwich;
  spec.embed_scale = config.positive_or("embedding_multiplier_scale", 1.0);
  spec.logit_scale = config.positive_or("output_multiplier_scale", 1.0);
  attention.scale = config.positive_or("attn_output_multiplier", attention.scale);
  attention.softcap = config.positive_or("max_attn_value", 30.0);
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "gelu");
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

}  // namespace dachlast
