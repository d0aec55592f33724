#include <fmt/core.h>

#include <algorithm>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// Usual attention with routed experts: Mixtral, DBRX, Qwen MoE, GLM-4.5, gpt-oss, MiniMax M2, MiMo V2.
namespace dachlast {
namespace {

/// Qwen: dense where the config lists the layer, or where it is not one of every `decoder_sparse_step`.
std::vector<bool> read_routed_layers(ConfigObject& config, int n_layers) {
  const int step = config.size_or("decoder_sparse_step", 1, size_limit::kLayers);
  std::vector<int> dense;
  if (config.has_value("mlp_only_layers")) dense = config.count_list("mlp_only_layers", size_limit::kLayers);
  std::vector<bool> routed;
  for (int i = 0; i < n_layers; ++i)
    routed.push_back((i + 1) % step == 0 && std::ranges::find(dense, i) == dense.end());
  return routed;
}

void fill_qwen_layers(ConfigObject& config, ModelSpec& spec, const AttentionSpec& attention, const MoeSpec& moe) {
  const int n_layers = read_n_layers(config);
  const std::vector<bool> routed = read_routed_layers(config, n_layers);
  const bool all = std::ranges::all_of(routed, [](bool is) { return is; });
  if (all) config.ignore("intermediate_size");
  const MlpSpec mlp = all ? MlpSpec{} : read_gated_mlp(config, moe.activation);
  for (const bool is_routed : routed)
    spec.layers.push_back({attention, is_routed ? FeedForward(moe) : FeedForward(mlp)});
}

/// Qwen MoE models state windows and switch them off.
void refuse_windows(ConfigObject& config) {
  refuse_if_set(config, "use_sliding_window", "a sliding window in a Qwen MoE");
  ignore_keys(config, {"sliding_window", "max_window_layers"});
}

struct MimoKinds {
  AttentionSpec full;
  AttentionSpec sliding;
};

/// Sliding layers have sizes, RoPE and sinks of their own. "attention_chunk_size" repeats the window and is not used.
MimoKinds read_mimo_attention(ConfigObject& config, ModelSpec& spec) {
  MimoKinds kinds;
  AttentionSpec& full = kinds.full;
  full = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 4, .head_dim = 192},
                               {.theta = 5e6, .partial_rotary_factor = 0.334});
  full.qkv_bias = config.flag_or("attention_bias", false);
  full.v_head_dim = config.size_or("v_head_dim", 128, size_limit::kHeadDim);
  full.sinks = config.flag_or("add_full_attention_sink_bias", false);
  AttentionSpec& sliding = kinds.sliding = full;
  sliding.sinks = config.flag_or("add_swa_attention_sink_bias", true);
  sliding.n_heads = config.size_or("swa_num_attention_heads", full.n_heads, size_limit::kHeads);
  sliding.n_kv_heads = config.size_or("swa_num_key_value_heads", full.n_kv_heads, size_limit::kHeads);
  sliding.head_dim = config.size_or("swa_head_dim", full.head_dim, size_limit::kHeadDim);
  sliding.v_head_dim = config.size_or("swa_v_head_dim", *full.v_head_dim, size_limit::kHeadDim);
  sliding.rope->theta = config.positive_or("swa_rope_theta", 10000.0);
  sliding.window = read_window(config, spec, 128);
  check_heads(config, "v_head_dim", full);
  check_heads(config, "swa_num_key_value_heads", sliding);
  ignore_keys(config, {"sliding_window_size", "attention_chunk_size", "attention_value_scale", "hybrid_block_size"});
  return kinds;
}

/// A number for all layers, or a list with one for each.
std::vector<int> read_flags(ConfigObject& config, const char* key, int n_layers) {
  const std::vector<int> flags = config.count_list(key, 1);
  if (flags.size() != static_cast<std::size_t>(n_layers))
    config.fail(key, fmt::format("lists {} layers of {}", flags.size(), n_layers));
  return flags;
}

}  // namespace

/// Defaults of src/transformers/models/mixtral/configuration_mixtral.py.
void read_mixtral(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32000, .max_context = 131072, .tied_embeddings = false}, spec);
  AttentionSpec attention =
      read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = {}}, {.theta = 1e6});
  attention.window = read_window(config, spec, 0);
  MoeSpec moe = read_moe(config, {"num_local_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

/// Source src/transformers/models/dbrx/{configuration,modeling}_dbrx.py: LayerNorm without bias, gated experts.
void read_dbrx(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32000, .max_context = 2048, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = {.kind = NormKind::kLayer, .eps = 1e-5, .layer_bias = false};
  ConfigObject inner = config.object("attn_config");
  AttentionSpec attention = read_heads(
      config, spec, {.n_heads = {}, .n_kv_heads = inner.size("kv_n_heads", size_limit::kHeads), .head_dim = {}});
  attention.rope = read_rope(inner, spec, attention.head_dim, {});
  ignore_keys(inner, {"clip_qkv", "attn_pdrop"});
  inner.warn_about_unread_keys();
  ConfigObject experts = config.object("ffn_config");
  const MoeSpec moe = read_moe(experts, {"moe_num_experts", "moe_top_k", "ffn_hidden_size"});
  ignore_keys(experts, {"ffn_act_fn", "moe_jitter_eps", "moe_loss_weight", "moe_normalize_expert_weights"});
  experts.warn_about_unread_keys();
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

/// Defaults of src/transformers/models/qwen2_moe/configuration_qwen2_moe.py; biases as in Qwen 2, one shared expert
/// behind a gate.
void read_qwen2_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151936, .max_context = 32768, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 16, .head_dim = {}});
  attention.qkv_bias = config.flag_or("qkv_bias", true);
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.shared_d_ff = config.size_or("shared_expert_intermediate_size", 5632, size_limit::kFfWidth);
  moe.shared_gate = true;
  refuse_windows(config);
  ignore_routing(config);
  fill_qwen_layers(config, spec, attention, moe);
}

/// Defaults of src/transformers/models/qwen3_moe/configuration_qwen3_moe.py.
void read_qwen3_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151936, .max_context = 32768, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 4, .head_dim = {}});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  attention.qkv_bias = config.flag_or("qkv_bias", attention.qkv_bias);
  if (config.flag_or("use_qk_norm", true)) attention.qk_norm = QkNorm::kPerHead;
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.shared_d_ff = config.count_or("shared_expert_intermediate_size", 0, size_limit::kFfWidth);
  refuse_windows(config);
  ignore_routing(config);
  fill_qwen_layers(config, spec, attention, moe);
}

/// Source src/transformers/models/glm4_moe/{configuration,modeling}_glm4_moe.py: q, k and v have a bias, o has none.
/// The checkpoints' MTP layer stores its own copy of embeddings and head.
void read_glm4_moe(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151552, .max_context = 131072, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = 128},
                                                  {.partial_rotary_factor = 0.5});
  attention.qkv_bias = config.flag_or("attention_bias", false);
  if (config.flag_or("use_qk_norm", false)) attention.qk_norm = QkNorm::kPerHead;
  MoeSpec moe = read_moe(config, {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.correction_bias = true;
  const int n_shared = config.count_or("n_shared_experts", 1, size_limit::kExperts);
  moe.shared_d_ff = product_within(config, "n_shared_experts", moe.d_ff, n_shared, size_limit::kFfWidth);
  ignore_routing(config);
  const MlpSpec mlp = read_gated_mlp(config, moe.activation);
  const int n_dense = config.count_or("first_k_dense_replace", 1, size_limit::kLayers);
  const int n_layers = read_n_layers(config);
  for (int i = 0; i < n_layers; ++i)
    spec.layers.push_back({attention, i < n_dense ? FeedForward(mlp) : FeedForward(moe)});
  if (const int n_mtp = config.count_or("num_nextn_predict_layers", 0, size_limit::kLayers); n_mtp > 0)
    spec.mtp = MtpSpec{.layers = std::vector<LayerSpec>(static_cast<std::size_t>(n_mtp), {attention, moe}),
                       .own_embeddings = true};
}

/// Source src/transformers/models/gpt_oss/{configuration,modeling}_gpt_oss.py: biases everywhere, every other layer
/// slides, the first one does.
void read_gpt_oss(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 201088, .max_context = 131072, .tied_embeddings = false}, spec);
  if (!config.has_value(config.first_of({"torch_dtype", "dtype"}))) {
    // Its config states none; all that is not MXFP4 lies in the checkpoint as BF16.
    spec.native_dtype = DType::kBF16;
    if (spec.quantized_weights) spec.quantized_weights->rest = *storage_format("bf16");
  }
  AttentionSpec attention =
      read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = 64}, {.theta = 150000.0});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", true);
  attention.sinks = true;
  MoeSpec moe = read_moe(config, {"num_local_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.bias = moe.router_bias = true;
  ignore_keys(config, {"experts_per_token", "swiglu_limit"});
  const int window = read_window(config, spec, 128);
  fill_layers(spec, read_n_layers(config), {attention, moe});
  const auto sliding = read_sliding_layers(config, spec.n_layers(), [](int i) { return i % 2 == 0; });
  for (std::size_t i = 0; i < spec.layers.size(); ++i) attention_of(spec.layers[i]).window = sliding[i] ? window : 0;
}

/// Source MiniMaxAI/MiniMax-M2:modeling_minimax_m2.py. "use_mtp" is stated, but the published checkpoint holds no such
/// layers: its total is that of the layers below and their FP8 scales.
void read_minimax_m2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 200064, .max_context = 196608, .tied_embeddings = false}, spec);
  AttentionSpec attention = read_routed_attention(config, spec, {.n_heads = {}, .n_kv_heads = 8, .head_dim = 128});
  if (config.flag_or("use_qk_norm", true))
    attention.qk_norm =
        config.text_or("qk_norm_type", "per_layer") == "per_layer" ? QkNorm::kWholeWidth : QkNorm::kPerHead;
  attention.window = read_window(config, spec, 0);
  MoeSpec moe = read_moe(config, {"num_local_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.correction_bias = config.flag_or("use_routing_bias", true);
  moe.shared_d_ff = config.count_or("shared_intermediate_size", 0, size_limit::kFfWidth);
  ignore_routing(config);
  ignore_keys(config, {"use_mtp", "num_mtp_modules", "mtp_transformer_layers"});
  fill_layers(spec, read_n_layers(config), {attention, moe});
}

/// Source XiaomiMiMo/MiMo-V2-Flash:modeling_mimo_v2_flash.py. Two kinds of attention.
void read_mimo_v2(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 152576, .max_context = 262144, .tied_embeddings = false}, spec);
  const MimoKinds kinds = read_mimo_attention(config, spec);
  MoeSpec moe = read_moe(config, {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.correction_bias = config.text_or("topk_method", "noaux_tc") == "noaux_tc";
  const int n_shared = config.count_or("n_shared_experts", 0, size_limit::kExperts);
  moe.shared_d_ff = product_within(config, "n_shared_experts", moe.d_ff, n_shared, size_limit::kFfWidth);
  ignore_routing(config);
  const MlpSpec mlp = read_gated_mlp(config, moe.activation);
  const int n_layers = read_n_layers(config);
  const std::vector<int> slides = read_flags(config, "hybrid_layer_pattern", n_layers);
  const std::vector<int> routed = read_flags(config, "moe_layer_freq", n_layers);
  for (std::size_t i = 0; i < slides.size(); ++i)
    spec.layers.push_back({slides[i] ? kinds.sliding : kinds.full, routed[i] ? FeedForward(moe) : FeedForward(mlp)});
}

}  // namespace dachlast
