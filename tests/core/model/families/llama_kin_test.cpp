#include <gmock/gmock.h>

#include "core/model/weights.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kFourLayers = R"("num_hidden_layers": 4, "hidden_size": 64, "intermediate_size": 96,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 100)";

class LlamaKin : public ConfigTest {
 protected:
  ModelSpec of(const std::string& type, const std::string& more = "") {
    return read(R"({"model_type": ")" + type + R"(", )" + kFourLayers + (more.empty() ? "" : ", " + more) + "}");
  }
  static std::vector<int> windows(const ModelSpec& spec) {
    std::vector<int> list;
    for (const LayerSpec& layer : spec.layers) list.push_back(attention_of(layer).window);
    return list;
  }
  static std::vector<bool> rotated(const ModelSpec& spec) {
    std::vector<bool> list;
    for (const LayerSpec& layer : spec.layers) list.push_back(attention_of(layer).rope.has_value());
    return list;
  }
};

TEST_F(LlamaKin, InternLmHasBiasesUnlessItSaysNo) {
  EXPECT_TRUE(attention_of(of("internlm").layers[0]).o_bias);
  EXPECT_FALSE(attention_of(of("internlm2", R"("bias": false)").layers[0]).qkv_bias);
  EXPECT_THAT(warnings_, IsEmpty());
}

TEST_F(LlamaKin, WideBaichuansHaveAlibi) {
  const ModelSpec wide = of("baichuan");  // 64 is not the one width with RoPE
  EXPECT_TRUE(attention_of(wide.layers[0]).alibi);
  EXPECT_FALSE(attention_of(wide.layers[0]).rope);
  const ModelSpec with_rope = read(R"({"model_type": "baichuan", "num_hidden_layers": 1, "hidden_size": 4096,
      "intermediate_size": 96, "num_attention_heads": 32, "vocab_size": 100})");
  EXPECT_FALSE(attention_of(with_rope.layers[0]).alibi);
  EXPECT_TRUE(attention_of(with_rope.layers[0]).rope);
}

TEST_F(LlamaKin, FirstQwenCountsGateAndUpProjectionTogether) {
  const ModelSpec spec = of("qwen");
  EXPECT_EQ(mlp_of(spec.layers[0]).d_ff, 48);  // 96 / 2
  EXPECT_TRUE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_FALSE(attention_of(spec.layers[0]).o_bias);
  EXPECT_THAT(error_of(R"({"model_type": "qwen", "num_hidden_layers": 1, "hidden_size": 64, "intermediate_size": 97,
      "num_attention_heads": 4})"),
              HasSubstr("is odd"));
}

TEST_F(LlamaKin, EveryFourthSmolLm3LayerHasNoPositions) {
  EXPECT_THAT(rotated(of("smollm3")), ElementsAre(true, true, true, false));
  EXPECT_THAT(rotated(of("smollm3", R"("no_rope_layers": [0, 1, 1, 1])")), ElementsAre(false, true, true, true));
  EXPECT_THAT(error_of(small_config("smollm3", R"("no_rope_layers": [0])")), HasSubstr("fewer layers"));
}

TEST_F(LlamaKin, ThreeOfFourExaoneLayersSlide) {
  const ModelSpec spec = of("exaone4", R"("sliding_window": 32)");
  EXPECT_THAT(windows(spec), ElementsAre(32, 32, 32, 0));
  EXPECT_THAT(rotated(spec), ElementsAre(true, true, true, false));
  EXPECT_EQ(spec.wiring, BlockWiring::kBranchNorm);
  const ModelSpec full = of("exaone4", R"("sliding_window": null)");
  EXPECT_THAT(windows(full), ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(rotated(full), ElementsAre(true, true, true, true));
}

TEST_F(LlamaKin, ThreeOfFourOlmo3LayersSlide) {
  EXPECT_THAT(windows(of("olmo3", R"("sliding_window": 32)")), ElementsAre(32, 32, 32, 0));
}

TEST_F(LlamaKin, MimoPredictsFurtherTokensWithLayersOfItsOwn) {
  const ModelSpec spec = of("mimo", R"("num_nextn_predict_layers": 1)");
  // One layer: q and o 64², k and v 2 · 32 · 64, biases 64 + 2 · 32, MLP 3 · 64 · 96, 2 norms; the join 64 · 128, two norms
  // before it and one behind the layer.
  EXPECT_EQ(extra_parameter_count(spec),
            2 * 64 * 64 + 2 * 32 * 64 + 64 + 2 * 32 + 3 * 64 * 96 + 2 * 64 + 64 * 128 + 3 * 64);
}

TEST_F(LlamaKin, SeedOssHasABiasOnQueriesOnly) {
  const ModelSpec spec = of("seed_oss");
  EXPECT_TRUE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_FALSE(attention_of(spec.layers[0]).o_bias);
}

TEST_F(LlamaKin, NoneIsRunByTheEngine) {
  for (const char* type : {"internlm", "internlm2", "qwen", "seed_oss", "smollm3", "exaone", "ernie4_5"})
    EXPECT_TRUE(missing_kernels(of(type))) << type;
}

}  // namespace
}  // namespace dachlast
