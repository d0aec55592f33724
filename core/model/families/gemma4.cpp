#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"
#include "core/model/families/towers.h"

namespace dachlast {
namespace {

struct Kinds {
  AttentionSpec sliding;
  AttentionSpec full;
};

/// Each kind has a base of its own; full layers turn a part of each head. "proportional" spreads their frequencies over
/// the whole head, which moves no byte.
void read_ropes(ConfigObject& config, Kinds& kinds) {
  kinds.sliding.rope = RopeSpec{.theta = 1e4, .rotary_dim = kinds.sliding.head_dim, .scaling = {}};
  kinds.full.rope = RopeSpec{.theta = 1e6, .rotary_dim = kinds.full.head_dim / 4, .scaling = {}};
  if (!config.has_value("rope_parameters")) return;
  ConfigObject by_kind = config.object("rope_parameters");
  for (const auto& [key, attention] :
       {std::pair{"sliding_attention", &kinds.sliding}, std::pair{"full_attention", &kinds.full}}) {
    if (!by_kind.has_value(key)) continue;
    ConfigObject rope = by_kind.object(key);
    attention->rope->theta = rope.positive_or("rope_theta", attention->rope->theta);
    const double partial = rope.positive_or("partial_rotary_factor", 1.0);
    if (partial > 1.0) rope.fail("partial_rotary_factor", fmt::format("is {}, above 1", partial));
    attention->rope->rotary_dim = static_cast<int>(attention->head_dim * partial + 1e-9);
    rope.ignore("rope_type");
    rope.warn_about_unread_keys();
  }
}

/// Full layers: wider heads, fewer of them for K and V, and one projection for both where "attention_k_eq_v" says so.
Kinds read_attention(ConfigObject& config, ModelSpec& spec) {
  Kinds kinds;
  kinds.sliding = read_heads(config, spec, {.n_heads = 8, .n_kv_heads = 4, .head_dim = 256});
  kinds.sliding.scale = 1.0;
  kinds.sliding.qk_norm = QkNorm::kPerHead;
  kinds.sliding.qkv_bias = kinds.sliding.o_bias = config.flag_or("attention_bias", false);
  kinds.full = kinds.sliding;
  kinds.full.head_dim = config.size_or("global_head_dim", 512, size_limit::kHeadDim);
  kinds.full.k_is_v = config.flag_or("attention_k_eq_v", false);
  const int global_heads = config.size_or("num_global_key_value_heads", kinds.sliding.n_kv_heads, size_limit::kHeads);
  if (kinds.full.k_is_v) kinds.full.n_kv_heads = global_heads;
  check_heads(config, "num_global_key_value_heads", kinds.full);
  kinds.sliding.window = read_window(config, spec, 512);
  read_ropes(config, kinds);
  return kinds;
}

/// The dense MLP runs beside the experts: here it is the shared one.
FeedForward read_feed_forward(ConfigObject& config, const MlpSpec& mlp) {
  if (!config.flag_or("enable_moe_block", false)) {
    ignore_keys(config, {"num_experts", "top_k_experts", "moe_intermediate_size"});
    return mlp;
  }
  MoeSpec moe = read_moe(config, {"num_experts", "top_k_experts", "moe_intermediate_size"});
  moe.activation = mlp.activation;
  moe.shared_d_ff = mlp.d_ff;
  moe.branch_norms = true;
  return moe;
}

/// The last `n_shared` layers read the cache of the last layer of their kind before them, and may have an MLP twice as
/// wide.
void share_caches(ConfigObject& config, ModelSpec& spec, const std::vector<bool>& sliding) {
  const int n_shared = config.count_or("num_kv_shared_layers", 0, size_limit::kLayers);
  const bool wide = config.flag_or("use_double_wide_mlp", false);
  const int first = spec.n_layers() - n_shared;
  if (n_shared == 0) return;
  if (first <= 0) config.fail("num_kv_shared_layers", fmt::format("is {} of {} layers", n_shared, spec.n_layers()));
  for (int i = first; i < spec.n_layers(); ++i) {
    LayerSpec& layer = spec.layers[static_cast<std::size_t>(i)];
    int source = first - 1;
    while (source >= 0 && sliding[static_cast<std::size_t>(source)] != sliding[static_cast<std::size_t>(i)]) --source;
    if (source < 0) config.fail("num_kv_shared_layers", fmt::format("leaves layer {} no cache to share", i));
    attention_of(layer).shares_kv_with = source;
    if (auto* mlp = std::get_if<MlpSpec>(&layer.feed_forward); mlp && wide) mlp->d_ff *= 2;
  }
}

/// Source src/transformers/models/gemma4/{configuration,modeling}_gemma4.py
void read_gemma4_text(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 262144, .max_context = 131072, .tied_embeddings = true}, spec);
  spec.naming = TensorNaming::kNone;
  spec.wiring = BlockWiring::kSandwich;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  spec.embed_scale = std::sqrt(static_cast<double>(spec.d_model));
  if (config.has_value("final_logit_softcapping")) spec.logit_softcap = config.positive("final_logit_softcapping");
  config.ignore("use_bidirectional_attention");  // among the tokens of one picture only
  const Kinds kinds = read_attention(config, spec);
  const MlpSpec mlp = read_gated_mlp(config, read_activation(config, "hidden_activation", "gelu_pytorch_tanh"));
  const FeedForward feed_forward = read_feed_forward(config, mlp);
  const int n_layers = read_n_layers(config);
  const auto sliding = read_sliding_layers(config, n_layers, [](int i) { return (i + 1) % 6 != 0; });
  for (const bool slides : sliding) spec.layers.push_back({slides ? kinds.sliding : kinds.full, feed_forward});
  share_caches(config, spec, sliding);
  const int d_input = config.count_or("hidden_size_per_layer_input", 0, size_limit::kWidth);
  const int input_vocab = config.size_or("vocab_size_per_layer_input", spec.vocab_size, size_limit::kVocab);
  if (d_input > 0) spec.per_layer_inputs = PerLayerInputSpec{.vocab_size = input_vocab, .d_input = d_input};
}

}  // namespace

void read_gemma4(ConfigObject& config, ModelSpec& spec) {
  read_nested_text(config, spec, read_gemma4_text);
  read_gemma4_tower(config, spec);
  if (config.has_value("audio_config"))
    config.warn("audio_not_counted", "the audio tower is left out: figures are those of text and pictures");
}

}  // namespace dachlast
