#include <gmock/gmock.h>

#include "core/model/weights.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MoeKin : public ConfigTest {
 protected:
  static const MoeSpec& moe(const ModelSpec& spec) { return std::get<MoeSpec>(spec.layers.back().feed_forward); }
  static std::vector<bool> routed(const ModelSpec& spec) {
    std::vector<bool> list;
    for (const LayerSpec& layer : spec.layers) list.push_back(std::holds_alternative<MoeSpec>(layer.feed_forward));
    return list;
  }
};

const std::string kDeepseek =
    R"("n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32, "first_k_dense_replace": 1)";

TEST_F(MoeKin, DeepSeekMoeStartsDenseAndSharesExperts) {
  const ModelSpec spec = read(small_config("deepseek", kDeepseek + R"(, "n_shared_experts": 2)"));
  EXPECT_THAT(routed(spec), ElementsAre(false, true));
  EXPECT_EQ(moe(spec).shared_d_ff, 64);  // 2 · 32
  EXPECT_FALSE(moe(spec).correction_bias);
  EXPECT_THAT(error_of(small_config("deepseek", kDeepseek + R"(, "moe_layer_freq": 2)")), HasSubstr("moe_layer_freq"));
}

TEST_F(MoeKin, DotsNormsQueriesAndKeysAndCorrectsItsRouter) {
  const ModelSpec spec = read(small_config("dots1", kDeepseek + R"(, "num_key_value_heads": 4)"));
  EXPECT_EQ(attention_of(spec.layers[0]).qk_norm, QkNorm::kPerHead);
  EXPECT_TRUE(moe(spec).correction_bias);
}

TEST_F(MoeKin, ErnieRoutesBetweenTwoLayers) {
  const std::string sizes =
      R"({"model_type": "ernie4_5_moe", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 4,
          "num_key_value_heads": 4, "num_hidden_layers": 4, "moe_num_experts": 4, "moe_k": 2,
          "moe_intermediate_size": 32, "moe_layer_start_index": 1)";
  EXPECT_THAT(routed(read(sizes + "}")), ElementsAre(false, true, true, true));
  EXPECT_THAT(routed(read(sizes + R"(, "moe_layer_end_index": 2})")), ElementsAre(false, true, true, false));
  EXPECT_THAT(routed(read(sizes + R"(, "moe_layer_end_index": -1, "moe_layer_interval": 2})")),
              ElementsAre(false, true, false, true));
}

TEST_F(MoeKin, HunyuanListsOneNumberForEachLayer) {
  const std::string sizes = R"("num_experts": 4, "moe_intermediate_size": [96, 96], "num_shared_expert": [1, 1])";
  const ModelSpec spec = read(small_config("hunyuan_v1_moe", sizes + R"(, "moe_topk": [2, 2])"));
  EXPECT_EQ(moe(spec).n_active, 2);
  EXPECT_EQ(moe(spec).shared_d_ff, 96);
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_THAT(error_of(small_config("hunyuan_v1_moe", sizes + R"(, "moe_topk": [2, 1])")), HasSubstr("differs"));
}

TEST_F(MoeKin, LingStatesItsSharedExpert) {
  const std::string sizes = R"("num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32,
                               "num_shared_experts": 1)";
  EXPECT_EQ(moe(read(small_config("bailing_moe", sizes))).shared_d_ff, 32);
  const ModelSpec second = read(small_config(
      "bailing_moe_v2", sizes + R"(, "moe_shared_expert_intermediate_size": 48, "num_nextn_predict_layers": 1)"));
  EXPECT_EQ(moe(second).shared_d_ff, 48);
  EXPECT_GT(extra_parameter_count(second), 0);
}

TEST_F(MoeKin, GrokTiesItsHeadAndCapsScores) {
  const ModelSpec spec = read(small_config("grok-1", R"("num_key_value_heads": 2, "num_experts": 4,
                                                        "num_experts_per_tok": 2, "vocab_size": 100)"));
  // Per layer 2 · 64² + 2 · 32 · 64 of attention, 4 experts of 3 · 64 · 96, a router of 4 · 64, 4 norms.
  EXPECT_EQ(parameter_count(spec), 2 * (2 * 64 * 64 + 2 * 32 * 64 + 4 * 3 * 64 * 96 + 4 * 64 + 4 * 64) + 100 * 64 + 64);
  EXPECT_EQ(attention_of(spec.layers[0]).softcap, 30.0);
}

TEST_F(MoeKin, OlmoeNormsAllHeadsTogether) {
  const ModelSpec spec = read(small_config("olmoe", R"("num_experts": 4, "num_experts_per_tok": 2)"));
  EXPECT_EQ(attention_of(spec.layers[0]).qk_norm, QkNorm::kWholeWidth);
}

}  // namespace
}  // namespace dachlast
