#include <gmock/gmock.h>

#include "core/model/layer_cache.h"
#include "core/model/weights.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// One letter per layer: its kind of mixer.
std::string mixers(const ModelSpec& spec) {
  std::string letters;
  for (const LayerSpec& layer : spec.layers) letters += "AMD12LN"[layer.mixer.index()];
  return letters;
}

class HybridFamily : public ConfigTest {};

const std::string kNemotron = R"("num_key_value_heads": 2, "head_dim": 16, "mamba_num_heads": 4, "mamba_head_dim": 8,
    "ssm_state_size": 16, "n_groups": 2)";
const std::string kNext = R"("num_key_value_heads": 2, "head_dim": 16, "linear_num_key_heads": 2,
    "linear_num_value_heads": 4, "linear_key_head_dim": 8, "linear_value_head_dim": 8, "num_experts": 4,
    "num_experts_per_tok": 2, "moe_intermediate_size": 16)";

TEST_F(HybridFamily, NemotronReadsItsPattern) {
  const ModelSpec spec = read(small_config("nemotron_h", kNemotron + R"(, "hybrid_override_pattern": "M*")"));
  EXPECT_EQ(mixers(spec), "2A");
  EXPECT_EQ(layer_cache(spec.layers[0]).recurrent_state_elements, 4 * 8 * 16);
  EXPECT_EQ(layer_cache(spec.layers[0]).conv_state_elements, (4 * 8 + 2 * 2 * 16) * 3);
}

TEST_F(HybridFamily, NemotronRefusesOtherPatterns) {
  EXPECT_THAT(error_of(small_config("nemotron_h", kNemotron + R"(, "hybrid_override_pattern": "MX")")),
              HasSubstr("holds 'X', an unknown kind of block"));
  EXPECT_THAT(error_of(small_config("nemotron_h", kNemotron + R"(, "hybrid_override_pattern": "M*M")")),
              HasSubstr("names 3 layers of 2"));
  EXPECT_THAT(error_of(small_config("nemotron_h", kNemotron)), HasSubstr("names 0 layers of 2"));
}

TEST_F(HybridFamily, GroupsDivideHeads) {
  EXPECT_THAT(error_of(small_config("nemotron_h", R"("head_dim": 16, "mamba_num_heads": 4, "n_groups": 3,
                                    "num_key_value_heads": 2, "hybrid_override_pattern": "MM")")),
              HasSubstr("\"n_groups\" is 3, which does not divide 4 heads"));
}

TEST_F(HybridFamily, JambaAttendsOncePerPeriod) {
  const ModelSpec spec = read(small_config("jamba", R"("num_key_value_heads": 2, "attn_layer_period": 2,
      "attn_layer_offset": 1, "num_experts": 4, "num_experts_per_tok": 2)"));
  EXPECT_EQ(mixers(spec), "1A");
  EXPECT_EQ(std::get<Mamba1Spec>(spec.layers[0].mixer).dt_rank, 4);  // 64 / 16
  EXPECT_FALSE(attention_of(spec.layers[1]).rope);
}

TEST_F(HybridFamily, GraniteNamesEveryLayer) {
  const std::string sizes = R"("mamba_n_heads": 4, "mamba_d_head": 32, "num_local_experts": 0)";
  const ModelSpec spec = read(small_config("granitemoehybrid", sizes + R"(, "layer_types": ["mamba", "attention"])"));
  EXPECT_EQ(mixers(spec), "2A");
  EXPECT_EQ(mlp_of(spec.layers[0]).d_ff, 1024);  // the shared expert alone
  EXPECT_THAT(error_of(small_config("granitemoehybrid", sizes + R"(, "layer_types": ["mamba", "lstm"])")),
              HasSubstr("names \"lstm\", an unknown kind of layer"));
}

TEST_F(HybridFamily, QwenAttendsAtIntervals) {
  const ModelSpec spec = read(small_config("qwen3_next", kNext + R"(, "full_attention_interval": 2)"));
  EXPECT_EQ(mixers(spec), "DA");
  EXPECT_TRUE(attention_of(spec.layers[1]).output_gate);
  EXPECT_EQ(attention_of(spec.layers[1]).rope->rotary_dim, 4);  // a quarter of 16
  ASSERT_TRUE(spec.mtp);
  EXPECT_EQ(spec.mtp->layers.size(), 1u);
}

TEST_F(HybridFamily, GemmaSharesCachesAndKeepsInputsOfEachLayer) {
  const ModelSpec spec = read(R"({"model_type": "gemma4", "text_config": {"hidden_size": 64, "intermediate_size": 96,
      "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 100,
      "global_head_dim": 16, "sliding_window": 32, "num_kv_shared_layers": 2, "use_double_wide_mlp": true,
      "hidden_size_per_layer_input": 4, "vocab_size_per_layer_input": 50,
      "layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]}})");
  EXPECT_EQ(attention_of(spec.layers[2]).shares_kv_with, 0);
  EXPECT_EQ(attention_of(spec.layers[3]).shares_kv_with, 1);
  EXPECT_EQ(mlp_of(spec.layers[3]).d_ff, 192);
  EXPECT_EQ(layer_cache(spec.layers[1]).elements_per_token(), 2 * 2 * 16);
  EXPECT_EQ(layer_cache(spec.layers[3]).elements_per_token(), 0);
  // Sliding: q and o 32 · 64 each, norms of 8 for q and k; the first also k and v, 2 · 16 · 64.
  const double slides = 2 * 32 * 64 + 8;
  const double full = 2 * 64 * 64 + 16;
  const double kv = (2 * 16 * 64 + 8) + (2 * 32 * 64 + 16);
  const double mlps = 3 * 64 * (96 + 96 + 192 + 192);
  const double inputs = 50 * 16 + 16 * 64 + 4 + 4 * (2 * 4 * 64 + 64);  // table, projection, norm; down, up, norm
  EXPECT_EQ(parameter_count(spec), 2 * slides + 2 * full + kv + mlps + inputs + 4 * 4 * 64 + 100 * 64 + 64);
  EXPECT_THAT(warning_codes(), ElementsAre("vision_not_counted"));
}

TEST_F(HybridFamily, PrunedBlocksSayWhatTheyHave) {
  const std::string attention = R"({"no_op": false, "replace_with_linear": false, "n_heads_in_group": 2})";
  const auto config = [&](const std::string& first) {
    return small_config("nemotron-nas", R"("block_configs": [{"attention": )" + first +
                                            R"(, "ffn": {"ffn_mult": 1.5, "no_op": false}},
                                            {"attention": )" +
                                            attention + R"(, "ffn": {"no_op": true}}])");
  };
  const ModelSpec spec = read(config(R"({"no_op": true})"));
  EXPECT_EQ(mixers(spec), "NA");
  EXPECT_EQ(attention_of(spec.layers[1]).n_kv_heads, 2);
  EXPECT_EQ(mlp_of(spec.layers[0]).d_ff, 256);  // 2 / 3 · 1.5 · 64 = 64, up to a multiple of 256
  EXPECT_FALSE(has_feed_forward(spec.layers[1]));
  EXPECT_EQ(mixers(read(config(R"({"replace_with_linear": true})"))), "LA");
  EXPECT_THAT(error_of(small_config("nemotron-nas", R"("block_configs": [{}])")), HasSubstr("list of 2 objects"));
  EXPECT_THAT(error_of(config(R"({"n_heads_in_group": 3})")), HasSubstr("does not divide 4 heads"));
}

}  // namespace
}  // namespace dachlast
