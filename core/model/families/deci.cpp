#include <fmt/core.h>

#include <cmath>

#include "core/model/families/common.h"
#include "core/model/families/family.h"
#include "core/model/families/rope_config.h"

// Models pruned layer by layer: NVIDIA's Llama-Nemotron, found by a search over blocks.
namespace dachlast {
namespace {

constexpr int kWidthMultiple = 256;  // d_ff is rounded up to it

/// ffn_mult · d_model of a plain MLP, two thirds of it in a gated one.
int width_of(ConfigObject& ffn, const ModelSpec& spec) {
  const double ffn_mult = ffn.positive("ffn_mult");
  const double exact = 2.0 * ffn_mult * spec.d_model / 3.0;
  if (exact > size_limit::kFfWidth - kWidthMultiple)
    ffn.fail("ffn_mult", fmt::format("of {} is beyond every known model", ffn_mult));
  const int width = static_cast<int>(exact);
  return (width + kWidthMultiple - 1) / kWidthMultiple * kWidthMultiple;
}

Mixer read_mixer(ConfigObject& block, const AttentionSpec& all) {
  ConfigObject config = block.object("attention");
  const bool none = config.flag_or("no_op", false);
  const bool linear = config.flag_or("replace_with_linear", false);
  ignore_keys(config, {"n_heads_in_group", "window_length", "num_sink_tokens", "use_prefill_window_in_sink_attention",
                       "unshifted_sink", "sparsify"});
  if (none) return NoMixer{};
  if (linear) return LinearMixer{};
  AttentionSpec attention = all;
  const int group = config.size("n_heads_in_group", size_limit::kHeads);
  if (attention.n_heads % group != 0)
    config.fail("n_heads_in_group", fmt::format("is {}, which does not divide {} heads", group, attention.n_heads));
  attention.n_kv_heads = attention.n_heads / group;
  attention.window = config.count_or("window_length", 0, size_limit::kContext);
  config.warn_about_unread_keys();
  return attention;
}

FeedForward read_feed_forward(ConfigObject& block, const ModelSpec& spec, const MlpSpec& all) {
  ConfigObject config = block.object("ffn");
  const bool none = config.flag_or("no_op", false);
  if (config.flag_or("replace_with_linear", false))
    config.fail("replace_with_linear", "is true: a projection in place of an MLP is not known here");
  ignore_keys(config, {"ffn_mult", "sparsify"});
  if (none) return NoFeedForward{};
  MlpSpec mlp = all;
  mlp.d_ff = width_of(config, spec);
  config.warn_about_unread_keys();
  return mlp;
}

}  // namespace

/// Source nvidia/Llama-3_3-Nemotron-Super-49B-v1:{configuration,modeling}_decilm.py
void read_deci(ConfigObject& config, ModelSpec& spec) {
  read_basics(config, {.vocab_size = 32000, .max_context = 2048, .tied_embeddings = false}, spec);
  spec.naming = TensorNaming::kNone;
  spec.norm = read_norm(config, NormKind::kRms, 1e-6);
  AttentionSpec attention = read_heads(config, spec, {});
  attention.rope = read_rope(config, spec, attention.head_dim, {});
  attention.qkv_bias = attention.o_bias = config.flag_or("attention_bias", false);
  const MlpSpec mlp{.activation = read_activation(config, "hidden_act", "silu"),
                    .bias = config.flag_or("mlp_bias", false)};
  config.ignore("intermediate_size");
  for (ConfigObject& block : config.objects("block_configs", static_cast<std::size_t>(read_n_layers(config)))) {
    spec.layers.push_back({read_mixer(block, attention), read_feed_forward(block, spec, mlp)});
    block.warn_about_unread_keys();
  }
}

}  // namespace dachlast
