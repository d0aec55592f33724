#include <fmt/core.h>

#include <algorithm>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"
#include "core/model/families/towers.h"

namespace dachlast {
namespace {

/// 1 where a layer rotates: as listed, or all but every `no_rope_layer_interval`-th. An empty list means the rule.
std::vector<int> read_rotating_layers(ConfigObject& config, int n_layers) {
  std::vector<int> rotates;
  if (config.has_value("no_rope_layers")) rotates = config.count_list("no_rope_layers", 1);
  const int interval = config.size_or("no_rope_layer_interval", 4, size_limit::kLayers);
  if (rotates.empty())
    for (int i = 0; i < n_layers; ++i) rotates.push_back((i + 1) % interval != 0);
  if (rotates.size() != static_cast<std::size_t>(n_layers))
    config.fail("no_rope_layers", fmt::format("lists {} layers of {}", rotates.size(), n_layers));
  return rotates;
}

/// As listed in "moe_layers", or every `interleave_moe_layer_step`-th.
std::vector<bool> read_interleaved_layers(ConfigObject& config, int n_layers) {
  const int step = config.size_or("interleave_moe_layer_step", 1, size_limit::kLayers);
  const bool listed = config.has_value("moe_layers");
  const std::vector<int> list = listed ? config.count_list("moe_layers", size_limit::kLayers) : std::vector<int>{};
  std::vector<bool> routed;
  for (int i = 0; i < n_layers; ++i)
    routed.push_back(listed ? std::ranges::find(list, i) != list.end() : (i + 1) % step == 0);
  return routed;
}

/// Source src/transformers/models/llama4/{configuration,modeling}_llama4.py: layers that rotate see only their chunk of
/// tokens, the others all. The shared expert is as wide as a routed one, dense layers "intermediate_size_mlp".
void read_llama4_text(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 202048, .max_context = 4096 * 32, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-5);
  AttentionSpec global = read_heads(config, spec, {.n_heads = 40, .n_kv_heads = 8, .head_dim = 128});
  global.qkv_bias = global.o_bias = config.flag_or("attention_bias", false);
  AttentionSpec local = global;
  local.rope = read_rope(config, spec, local.head_dim, {.theta = 500000.0});
  const int chunk = config.count_or("attention_chunk_size", 8192, size_limit::kContext);
  local.chunk = chunk >= spec.max_context ? 0 : chunk;
  if (config.flag_or("use_qk_norm", true)) local.qk_norm = QkNorm::kUnweighted;
  ignore_keys(config, {"attn_temperature_tuning", "attn_scale", "floor_scale", "for_llm_compressor"});
  MoeSpec moe = read_moe(config, {"num_local_experts", "num_experts_per_tok", "intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  moe.shared_d_ff = moe.d_ff;
  const MlpSpec mlp{.d_ff = config.size_or("intermediate_size_mlp", 16384, size_limit::kFfWidth),
                    .activation = moe.activation};
  const int n_layers = read_n_layers(config);
  const std::vector<int> rotates = read_rotating_layers(config, n_layers);
  const std::vector<bool> routed = read_interleaved_layers(config, n_layers);
  ignore_keys(config, {"layer_types"});  // repeats which layers are chunked
  for (std::size_t i = 0; i < routed.size(); ++i)
    spec.layers.push_back({rotates[i] ? local : global, routed[i] ? FeedForward(moe) : FeedForward(mlp)});
}

}  // namespace

void read_llama4(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_llama4_text);
  read_llama4_tower(config, spec);
}

}  // namespace dachlast
