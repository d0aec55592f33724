#include <cmath>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// Multi-head latent attention: DeepSeek V2, V3, V3.2, Kimi K2 and GLM-5.
namespace dachlast {
namespace {

IndexerSpec read_indexer(ConfigObject& config) {
  ignore_keys(config, {"indexer_rope_interleave"});
  return {.n_heads = config.size("index_n_heads", size_limit::kHeads),
          .head_dim = config.size("index_head_dim", size_limit::kHeadDim),
          .top_k = config.size("index_topk", size_limit::kContext)};
}

void check_widths(ConfigObject& config, const MlaSpec& a) {
  product_within(config, "num_attention_heads", a.qk_head_dim(), a.n_heads, size_limit::kRows);
  product_within(config, "num_attention_heads", a.qk_nope_head_dim + a.v_head_dim, a.n_heads, size_limit::kRows);
}

MlaSpec read_mla(ConfigObject& config, ModelSpec& spec) {
  MlaSpec a{.n_heads = config.size("num_attention_heads", size_limit::kHeads),
            .q_lora_rank = config.count_or("q_lora_rank", 0, size_limit::kWidth),
            .kv_lora_rank = config.size("kv_lora_rank", size_limit::kWidth),
            .qk_nope_head_dim = config.size("qk_nope_head_dim", size_limit::kHeadDim),
            .qk_rope_head_dim = config.size("qk_rope_head_dim", size_limit::kHeadDim),
            .v_head_dim = config.size("v_head_dim", size_limit::kHeadDim),
            .bias = config.flag_or("attention_bias", false)};
  check_widths(config, a);
  a.rope = read_rope(config, spec, a.qk_rope_head_dim, {.mla = true});
  a.scale = 1.0 / std::sqrt(a.qk_head_dim());
  if (const auto* yarn = std::get_if<YarnRopeScaling>(&a.rope.scaling)) a.scale *= yarn->score_factor;
  a.rope.pairs = config.flag_or("rope_interleave", true) ? RopePairs::kNeighbours : RopePairs::kHalves;
  // Every head has its own K and V once they are rebuilt.
  ignore_keys(config, {"num_key_value_heads", "head_dim", "qk_head_dim"});
  return a;
}

enum class Correction { kAbsent, kPresent };

MoeSpec read_experts(ConfigObject& config, Correction correction) {
  MoeSpec moe = read_moe(config, {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size"});
  moe.activation = read_activation(config, "hidden_act", "silu");
  const int n_shared = config.count_or("n_shared_experts", 0, size_limit::kExperts);
  moe.shared_d_ff = product_within(config, "n_shared_experts", moe.d_ff, n_shared, size_limit::kFfWidth);
  moe.correction_bias = correction == Correction::kPresent;
  ignore_routing(config);
  ignore_keys(config, {"ep_size"});
  return moe;
}

struct DeepseekFamily {
  Correction correction;
  bool indexer;
  bool mtp_embeddings;
  int max_context;
};

/// The first layers are dense; behind them every `moe_layer_freq`-th one has experts.
void read_layers(ConfigObject& config, const MlaSpec& mla, const MoeSpec& moe, ModelSpec& spec) {
  const MlpSpec mlp = read_gated_mlp(config, moe.activation);
  const int n_dense = config.count_or("first_k_dense_replace", 0, size_limit::kLayers);
  const int period = config.size_or("moe_layer_freq", 1, size_limit::kLayers);
  const int n_layers = read_n_layers(config);
  for (int i = 0; i < n_layers; ++i) {
    const bool routed = i >= n_dense && i % period == 0;
    spec.layers.push_back({mla, routed ? FeedForward(moe) : FeedForward(mlp)});
  }
}

void read_deepseek(ConfigObject& config, ModelSpec& spec, const DeepseekFamily& family) {
  read_basics(config, {.vocab_size = 129280, .max_context = family.max_context, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kLlama;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  MlaSpec mla = read_mla(config, spec);
  if (family.indexer) mla.indexer = read_indexer(config);
  const MoeSpec moe = read_experts(config, family.correction);
  read_layers(config, mla, moe, spec);
  const int n_mtp = config.count_or("num_nextn_predict_layers", 0, size_limit::kLayers);
  if (n_mtp == 0) return;
  spec.mtp = MtpSpec{.layers = std::vector<LayerSpec>(static_cast<std::size_t>(n_mtp), {mla, moe}),
                     .own_embeddings = family.mtp_embeddings};
}

}  // namespace

/// Defaults of src/transformers/models/deepseek_v2/configuration_deepseek_v2.py.
void read_deepseek_v2(ConfigObject& config, ModelSpec& spec) {
  read_deepseek(config, spec,
                {.correction = Correction::kAbsent, .indexer = false, .mtp_embeddings = true, .max_context = 2048});
}

/// Defaults of src/transformers/models/deepseek_v3/configuration_deepseek_v3.py; Kimi K2 has the same classes.
void read_deepseek_v3(ConfigObject& config, ModelSpec& spec) {
  read_deepseek(config, spec,
                {.correction = Correction::kPresent, .indexer = false, .mtp_embeddings = true, .max_context = 4096});
}

/// Source   deepseek-ai/DeepSeek-V3.2-Exp:inference/model.py (Indexer).
void read_deepseek_v32(ConfigObject& config, ModelSpec& spec) {
  read_deepseek(config, spec,
                {.correction = Correction::kPresent, .indexer = true, .mtp_embeddings = true, .max_context = 4096});
}

/// Defaults of src/transformers/models/glm_moe_dsa/configuration_glm_moe_dsa.py. Its MTP layer stores no copy of the
/// embeddings: the published total leaves no room for one.
void read_glm_moe_dsa(ConfigObject& config, ModelSpec& spec) {
  read_deepseek(config, spec,
                {.correction = Correction::kPresent, .indexer = true, .mtp_embeddings = false, .max_context = 202752});
}

/// Source src/transformers/models/glm4_moe_lite/{configuration,modeling}_glm4_moe_lite.py: GLM-4.7-Flash has DeepSeek V3's
/// classes; its MTP layer stores its own embeddings as those of GLM-4.5 do.
void read_glm4_moe_lite(ConfigObject& config, ModelSpec& spec) {
  read_deepseek(config, spec,
                {.correction = Correction::kPresent, .indexer = false, .mtp_embeddings = true, .max_context = 202752});
}

}  // namespace dachlast
