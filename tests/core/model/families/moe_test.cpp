#include <gmock/gmock.h>

#include "core/model/layer_cache.h"
#include "core/model/weights.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MoeFamily : public ConfigTest {
 protected:
  /// Which layers have routed experts.
  static std::vector<bool> routed(const ModelSpec& spec) {
    std::vector<bool> list;
    for (const LayerSpec& layer : spec.layers) list.push_back(std::holds_alternative<MoeSpec>(layer.feed_forward));
    return list;
  }
};

const std::string kMixtral = R"("num_key_value_heads": 2, "num_local_experts": 4, "num_experts_per_tok": 2)";
const std::string kQwen =
    R"("num_key_value_heads": 2, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32)";

TEST_F(MoeFamily, MixtralCountsExpertsOnceAndTheActiveOnes) {
  const ModelSpec spec = read(small_config("mixtral", kMixtral + R"(, "vocab_size": 100)"));
  // Per layer: q and o 64², k and v 2 · 16 · 64, 4 experts of 3 · 64 · 96, router 4 · 64, 2 norms of 64; embeddings and
  // head 100 · 64 each, the last norm 64.
  const double expert = 3 * 64 * 96;
  const double rest = 2 * 64 * 64 + 2 * 2 * 16 * 64 + 4 * 64 + 2 * 64;
  EXPECT_EQ(parameter_count(spec), 2 * (4 * expert + rest) + 2 * 100 * 64 + 64);
  EXPECT_EQ(active_parameter_count(spec), 2 * (2 * expert + rest) + 2 * 100 * 64 + 64);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(MoeFamily, MoreActiveExpertsThanThereAreIsRefused) {
  EXPECT_THAT(error_of(small_config("mixtral", R"("num_key_value_heads": 2, "num_local_experts": 4,
                                                 "num_experts_per_tok": 5)")),
              HasSubstr("\"num_experts_per_tok\" is 5, more than the 4 experts there are"));
}

TEST_F(MoeFamily, AbsurdNumbersOfExpertsAreRefused) {
  EXPECT_THAT(error_of(small_config("mixtral", R"("num_key_value_heads": 2, "num_local_experts": 2000000000,
                                                 "num_experts_per_tok": 5)")),
              HasSubstr("beyond every known model"));
  EXPECT_THAT(error_of(small_config("deepseek_v3", R"("kv_lora_rank": 8, "qk_nope_head_dim": 8, "qk_rope_head_dim": 8,
      "v_head_dim": 8, "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 4000000,
      "n_shared_experts": 16000)")),
              HasSubstr("beyond every known model"));
}

TEST_F(MoeFamily, QwenLeavesListedLayersDense) {
  EXPECT_THAT(routed(read(small_config("qwen3_moe", kQwen + R"(, "mlp_only_layers": [0])"))), ElementsAre(false, true));
  EXPECT_THAT(routed(read(small_config("qwen3_moe", kQwen + R"(, "decoder_sparse_step": 2)"))),
              ElementsAre(false, true));
}

TEST_F(MoeFamily, Qwen2HasASharedExpertBehindAGate) {
  const ModelSpec spec = read(small_config("qwen2_moe", kQwen + R"(, "shared_expert_intermediate_size": 48)"));
  const auto& moe = std::get<MoeSpec>(spec.layers[0].feed_forward);
  EXPECT_EQ(moe.shared_d_ff, 48);
  EXPECT_TRUE(moe.shared_gate);
  EXPECT_TRUE(attention_of(spec.layers[0]).qkv_bias);
}

TEST_F(MoeFamily, DeepseekStartsDense) {
  const std::string mla = R"("kv_lora_rank": 8, "qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "v_head_dim": 8,
      "n_routed_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "n_shared_experts": 2)";
  const ModelSpec spec = read(small_config("deepseek_v3", mla + R"(, "first_k_dense_replace": 1)"));
  EXPECT_THAT(routed(spec), ElementsAre(false, true));
  EXPECT_EQ(std::get<MoeSpec>(spec.layers[1].feed_forward).shared_d_ff, 32);
  EXPECT_EQ(layer_cache(spec.layers[0]).elements_per_token(), 8 + 4);
  EXPECT_FALSE(spec.mtp);
}

TEST_F(MoeFamily, GptOssSlidesEveryOtherLayer) {
  const ModelSpec spec = read(small_config("gpt_oss", R"("num_key_value_heads": 2, "head_dim": 16,
      "num_local_experts": 4, "num_experts_per_tok": 2)"));
  EXPECT_EQ(attention_of(spec.layers[0]).window, 128);
  EXPECT_EQ(attention_of(spec.layers[1]).window, 0);
  EXPECT_TRUE(attention_of(spec.layers[0]).sinks);
}

TEST_F(MoeFamily, MimoNeedsAKindForEveryLayer) {
  const std::string sizes = R"("num_key_value_heads": 2, "head_dim": 16, "n_routed_experts": 4,
      "num_experts_per_tok": 2, "moe_intermediate_size": 16, "partial_rotary_factor": 0.5, "moe_layer_freq": [0, 1])";
  EXPECT_THAT(error_of(small_config("mimo_v2_flash", sizes + R"(, "hybrid_layer_pattern": [0])")),
              HasSubstr("\"hybrid_layer_pattern\" lists 1 layers of 2"));
  EXPECT_THAT(error_of(small_config("mimo_v2_flash", sizes + R"(, "hybrid_layer_pattern": [0, 7])")),
              HasSubstr("\"hybrid_layer_pattern\" is 7, not in 0 … 1"));
}

TEST_F(MoeFamily, UnknownKeysAreNamed) {
  read(small_config("mixtral", kMixtral + R"(, "odd": 1)"));
  EXPECT_THAT(warning_codes(), ElementsAre("unknown_field"));
}

}  // namespace
}  // namespace dachlast
