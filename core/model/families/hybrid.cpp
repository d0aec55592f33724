#include <fmt/core.h>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// State space models with a few layers of attention: Jamba, Granite 4, Nemotron-H.
namespace dachlast {
namespace {

/// Type of the recurrent state where the config states it: engines keep it wider than activations.
std::optional<DType> read_state_dtype(ConfigObject& config, const char* key) {
  const std::string name = config.text_or(key, "");
  if (name == "float32") return DType::kF32;
  if (name == "bfloat16") return DType::kBF16;
  if (name == "float16") return DType::kF16;
  if (!name.empty()) config.warn("state_dtype", fmt::format("{} \"{}\" is not known: not used", key, name));
  return std::nullopt;
}

Mamba1Spec read_mamba1(ConfigObject& config, const ModelSpec& spec) {
  Mamba1Spec m;
  const int expand = config.size_or("mamba_expand", 2, 64);
  m.d_inner = product_within(config, "mamba_expand", spec.d_model, expand, size_limit::kFfWidth);
  m.d_state = config.size_or("mamba_d_state", 16, size_limit::kHeadDim);
  m.conv_kernel = config.size_or("mamba_d_conv", 4, size_limit::kHeadDim);
  m.dt_rank = config.size_or("mamba_dt_rank", (spec.d_model + 15) / 16, size_limit::kWidth);
  m.conv_bias = config.flag_or("mamba_conv_bias", true);
  m.proj_bias = config.flag_or("mamba_proj_bias", false);
  m.inner_norms = true;
  return m;
}

struct Mamba2Keys {
  const char* n_heads;
  const char* head_dim;
  const char* d_state;
  const char* n_groups;
  const char* conv_kernel;
  const char* conv_bias;
};

Mamba2Spec read_mamba2(ConfigObject& config, const Mamba2Keys& keys) {
  Mamba2Spec m{.n_heads = config.size_or(keys.n_heads, 128, size_limit::kHeads),
               .head_dim = config.size_or(keys.head_dim, 64, size_limit::kHeadDim),
               .d_state = config.size_or(keys.d_state, 128, size_limit::kHeadDim),
               .n_groups = config.size_or(keys.n_groups, 1, size_limit::kHeads),
               .conv_kernel = config.size_or(keys.conv_kernel, 4, size_limit::kHeadDim),
               .conv_bias = config.flag_or(keys.conv_bias, true),
               .proj_bias = config.flag_or("mamba_proj_bias", false)};
  product_within(config, keys.n_heads, m.head_dim, m.n_heads, size_limit::kRows);
  product_within(config, keys.n_groups, m.d_state, m.n_groups, size_limit::kRows);
  if (m.n_heads % m.n_groups != 0)
    config.fail(keys.n_groups, fmt::format("is {}, which does not divide {} heads", m.n_groups, m.n_heads));
  m.state_dtype = read_state_dtype(config, config.first_of({"mamba_ssm_cache_dtype", "mamba_ssm_dtype"}).c_str());
  return m;
}

struct NemotronBlocks {
  MlpSpec mlp;
  MoeSpec moe;
};

/// Nothing is gated. Experts are only stated where the pattern has some.
NemotronBlocks read_nemotron_blocks(ConfigObject& config, const std::string& pattern) {
  const Activation activation = read_activation(config, "mlp_hidden_act", "relu2");
  NemotronBlocks blocks;
  blocks.mlp = {.d_ff = config.size("intermediate_size", size_limit::kFfWidth),
                .activation = activation,
                .gate = Gate::kNone,
                .bias = config.flag_or("mlp_bias", false)};
  if (pattern.find('E') == std::string::npos) return blocks;
  MoeSpec& moe = blocks.moe;
  moe = read_moe(config, {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = activation;
  moe.gate = Gate::kNone;
  moe.correction_bias = true;
  const int n_shared = config.count_or("n_shared_experts", 1, size_limit::kExperts);
  const int shared = config.size_or("moe_shared_expert_intermediate_size", moe.d_ff, size_limit::kFfWidth);
  moe.shared_d_ff = product_within(config, "n_shared_experts", shared, n_shared, size_limit::kFfWidth);
  return blocks;
}

/// Granite: a plain MLP where there are no routed experts, else the shared expert beside them.
FeedForward read_granite_feed_forward(ConfigObject& config) {
  const Activation activation = read_activation(config, "hidden_act", "silu");
  const int shared = config.size_or("shared_intermediate_size", 1024, size_limit::kFfWidth);
  if (config.count_or("num_local_experts", 8, size_limit::kExperts) == 0) {
    ignore_keys(config, {"intermediate_size", "num_experts_per_tok"});
    return MlpSpec{.d_ff = shared, .activation = activation};
  }
  MoeSpec moe = read_moe(config, {"num_local_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = activation;
  moe.shared_d_ff = shared;
  return moe;
}

}  // namespace

/// Defaults of src/transformers/models/jamba/configuration_jamba.py. No positions at all: the Mamba layers know the
/// order.
void read_jamba(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 65536, .max_context = 262144, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  AttentionSpec attention = read_heads(config, spec, {.n_heads = 32, .n_kv_heads = 8, .head_dim = {}});
  attention.window = read_window(config, spec, 0);
  const Mamba1Spec mamba = read_mamba1(config, spec);
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_act", "silu"));
  MoeSpec moe = read_moe(config, {"num_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = mlp.activation;
  const int attention_period = config.size_or("attn_layer_period", 8, size_limit::kLayers);
  const int attention_offset = config.count_or("attn_layer_offset", 4, size_limit::kLayers);
  const int expert_period = config.size_or("expert_layer_period", 2, size_limit::kLayers);
  const int expert_offset = config.count_or("expert_layer_offset", 1, size_limit::kLayers);
  ignore_keys(config, {"use_mamba_kernels", "num_logits_to_keep", "calc_logits_for_entire_prompt"});
  const int n_layers = read_n_layers(config);
  for (int i = 0; i < n_layers; ++i) {
    const bool attends = i % attention_period == attention_offset;
    const bool routed = i % expert_period == expert_offset && moe.n_experts > 1;
    spec.layers.push_back({attends ? Mixer(attention) : Mixer(mamba), routed ? FeedForward(moe) : FeedForward(mlp)});
  }
}

/// Defaults of src/transformers/models/granitemoehybrid/configuration_granitemoehybrid.py.
void read_granite_hybrid(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32000, .max_context = 2048, .tied_embeddings = false}, spec);
  read_granite_scales(config, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.scale = config.positive_or("attention_multiplier", 1.0);
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  if (config.text_or("position_embedding_type", "rope") == "rope")
    attention.rope = read_rope(config, spec, attention.head_dim, {});
  else
    ignore_keys(config, {"rope_theta", "rope_scaling", "rope_parameters"});
  const Mamba2Spec mamba = read_mamba2(
      config, {"mamba_n_heads", "mamba_d_head", "mamba_d_state", "mamba_n_groups", "mamba_d_conv", "mamba_conv_bias"});
  ignore_keys(config, {"mamba_expand", "mamba_chunk_size", "normalization_function", "init_method"});
  const FeedForward feed_forward = read_granite_feed_forward(config);
  const int n_layers = read_n_layers(config);
  const std::vector<std::string> types = config.text_list(config.first_of({"layer_types", "layers_block_type"}));
  if (types.size() != static_cast<std::size_t>(n_layers))
    config.fail("layer_types", fmt::format("lists {} layers of {}", types.size(), n_layers));
  for (const std::string& type : types) {
    if (type != "mamba" && type != "attention")
      config.fail("layer_types", fmt::format("names \"{}\", an unknown kind of layer", type),
                  "Known: mamba, attention.");
    spec.layers.push_back({type == "attention" ? Mixer(attention) : Mixer(mamba), feed_forward});
  }
}

/// Source nvidia/Nemotron-H-8B-Base-8K:{configuration,modeling}_nemotron_h.py: each block is one of Mamba 2 (M),
/// attention without positions (*), MLP (-) and routed experts (E), behind one norm; nothing is gated.
void read_nemotron_h(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 131072, .max_context = 4096, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-5);
  AttentionSpec attention = read_heads(config, spec, {.n_heads = 32, .n_kv_heads = 8, .head_dim = 128});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  attention.window = read_window(config, spec, 0);
  ignore_keys(config, {"rope_theta", "partial_rotary_factor"});
  const Mamba2Spec mamba = read_mamba2(
      config, {"mamba_num_heads", "mamba_head_dim", "ssm_state_size", "n_groups", "conv_kernel", "use_conv_bias"});
  refuse_if_set(config, "use_bias", "a bias in Mamba's projections under this name");
  ignore_keys(config, {"chunk_size", "expand", "mamba_hidden_act", "residual_in_fp32", "time_step_rank",
                       "num_logits_to_keep", "use_mamba_kernels"});
  const std::string pattern = config.text_or("hybrid_override_pattern", "");
  const NemotronBlocks blocks = read_nemotron_blocks(config, pattern);
  ignore_routing(config);
  const int n_layers = read_n_layers(config);
  if (pattern.size() != static_cast<std::size_t>(n_layers))
    config.fail("hybrid_override_pattern", fmt::format("names {} layers of {}", pattern.size(), n_layers));
  for (const char kind : pattern) switch (kind) {
      case 'M': spec.layers.push_back({mamba, NoFeedForward{}}); break;
      case '*': spec.layers.push_back({attention, NoFeedForward{}}); break;
      case '-': spec.layers.push_back({NoMixer{}, blocks.mlp}); break;
      case 'E': spec.layers.push_back({NoMixer{}, blocks.moe}); break;
      default:
        config.fail("hybrid_override_pattern", fmt::format("holds '{}', an unknown kind of block", kind),
                    "Known: M, *, -, E.");
    }
}

}  // namespace dachlast
