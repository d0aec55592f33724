#include <fmt/core.h>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"
#include "core/model/families/towers.h"

// Linear attention with a layer of gated attention now and then: Qwen3-Next, Qwen 3.5.
namespace dachlast {
namespace {

/// Gated attention; norms whose stored weight w means (1 + w).
AttentionSpec read_gated_attention(ConfigObject& config, ModelSpec& spec) {
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  spec.norm.weight_offset = 1.0;
  AttentionSpec attention = read_heads(config, spec, {.n_heads = 16, .n_kv_heads = 2, .head_dim = 256});
  attention.rope = read_rope(config, spec, attention.head_dim, {.partial_rotary_factor = 0.25});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  attention.qk_norm = QkNorm::kPerHead;
  attention.output_gate = config.flag_or("attn_output_gate", true);
  refuse_if_set(config, "use_sliding_window", "a sliding window beside linear attention");
  return attention;
}

GatedDeltaNetSpec read_delta_net(ConfigObject& config) {
  GatedDeltaNetSpec d{.n_k_heads = config.size_or("linear_num_key_heads", 16, size_limit::kHeads),
                      .n_v_heads = config.size_or("linear_num_value_heads", 32, size_limit::kHeads),
                      .k_head_dim = config.size_or("linear_key_head_dim", 128, size_limit::kHeadDim),
                      .v_head_dim = config.size_or("linear_value_head_dim", 128, size_limit::kHeadDim),
                      .conv_kernel = config.size_or("linear_conv_kernel_dim", 4, size_limit::kHeadDim)};
  product_within(config, "linear_num_key_heads", d.k_head_dim, d.n_k_heads, size_limit::kRows);
  product_within(config, "linear_num_value_heads", d.v_head_dim, d.n_v_heads, size_limit::kRows);
  const std::string dtype = config.text_or("mamba_ssm_dtype", "");
  if (dtype == "float32") d.state_dtype = DType::kF32;
  if (dtype == "bfloat16") d.state_dtype = DType::kBF16;
  return d;
}

MoeSpec read_experts(ConfigObject& config) {
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.shared_d_ff = config.size_or("shared_expert_intermediate_size", 512, size_limit::kFfWidth);
  moe.shared_gate = true;
  ignore_routing(config);
  ignore_keys(config, {"intermediate_size"});
  return moe;
}

/// Which layers attend: as listed, or every `full_attention_interval`-th.
std::vector<bool> read_attending_layers(ConfigObject& config, int n_layers) {
  const int interval = config.size_or("full_attention_interval", 4, size_limit::kLayers);
  std::vector<bool> attends;
  if (!config.has_value("layer_types")) {
    for (int i = 0; i < n_layers; ++i) attends.push_back((i + 1) % interval == 0);
    return attends;
  }
  const std::vector<std::string> types = config.text_list("layer_types");
  if (types.size() != static_cast<std::size_t>(n_layers))
    config.fail("layer_types", fmt::format("lists {} layers of {}", types.size(), n_layers));
  for (const std::string& type : types) {
    if (type != "full_attention" && type != "linear_attention")
      config.fail("layer_types", fmt::format("names \"{}\", an unknown kind of attention", type),
                  "Known: full_attention, linear_attention.");
    attends.push_back(type == "full_attention");
  }
  return attends;
}

void refuse_mixed_layers(ConfigObject& config) {
  if (config.size_or("decoder_sparse_step", 1, size_limit::kLayers) != 1)
    config.fail("decoder_sparse_step", "is not 1: dense layers between routed ones are not known here");
  if (config.has_value("mlp_only_layers") && !config.count_list("mlp_only_layers", size_limit::kLayers).empty())
    config.fail("mlp_only_layers", "is not empty: dense layers between routed ones are not known here");
}

void read_layers(ConfigObject& config, ModelSpec& spec, const FeedForward& feed_forward, int n_mtp) {
  const AttentionSpec attention = read_gated_attention(config, spec);
  const GatedDeltaNetSpec linear = read_delta_net(config);
  for (const bool attends : read_attending_layers(config, read_n_layers(config)))
    spec.layers.push_back({attends ? Mixer(attention) : Mixer(linear), feed_forward});
  if (n_mtp == 0) return;
  spec.mtp = MtpSpec{.layers = std::vector<LayerSpec>(static_cast<std::size_t>(n_mtp), {attention, feed_forward}),
                     .own_embeddings = config.flag_or("mtp_use_dedicated_embeddings", false)};
}

constexpr BasicDefaults kBasics35{.vocab_size = 248320, .max_context = 262144, .tied_embeddings = false};

void read_qwen35_text(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, kBasics35, spec);
  refuse_mixed_layers(config);
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  read_layers(config, spec, mlp, config.count_or("mtp_num_hidden_layers", 0, size_limit::kLayers));
}

void read_qwen35_moe_text(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, kBasics35, spec);
  refuse_mixed_layers(config);
  read_layers(config, spec, read_experts(config), config.count_or("mtp_num_hidden_layers", 0, size_limit::kLayers));
}

}  // namespace

/// Defaults of src/transformers/models/qwen3_next/configuration_qwen3_next.py. No key speaks of the MTP layer that the
/// published checkpoint holds and vllm-project/vllm:vllm/model_executor/models/qwen3_next_mtp.py loads.
void read_qwen3_next(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 151936, .max_context = 32768, .tied_embeddings = false}, spec);
  refuse_mixed_layers(config);
  read_layers(config, spec, read_experts(config), config.count_or("num_nextn_predict_layers", 1, size_limit::kLayers));
}

/// Source src/transformers/models/qwen3_5/configuration_qwen3_5.py; dense.
void read_qwen35(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_qwen35_text);
  read_qwen35_tower(config, spec);
}

/// Source src/transformers/models/qwen3_5_moe/configuration_qwen3_5_moe.py.
void read_qwen35_moe(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_qwen35_moe_text);
  read_qwen35_tower(config, spec);
}

}  // namespace dachlast
