#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

class LlamaFamily : public ConfigTest {
 protected:
  std::vector<int> windows(const ModelSpec& spec) {
    std::vector<int> list;
    for (const LayerSpec& layer : spec.layers) list.push_back(attention_of(layer).window);
    return list;
  }
};

TEST_F(LlamaFamily, DefaultsAreThoseOfTheClass) {
  const ModelSpec spec = read(small_config("llama"));
  EXPECT_EQ(spec.architecture, "llama");
  EXPECT_EQ(spec.naming, TensorNaming::kLlama);
  EXPECT_EQ(spec.wiring, BlockWiring::kSequential);
  EXPECT_EQ(spec.n_layers(), 2);
  EXPECT_EQ(spec.vocab_size, 32000);
  EXPECT_EQ(spec.max_context, 2048);
  EXPECT_FALSE(spec.tied_embeddings);
  EXPECT_EQ(spec.norm.kind, NormKind::kRms);
  EXPECT_EQ(spec.norm.eps, 1e-6);
  EXPECT_EQ(spec.embed_scale, 1.0);
  const AttentionSpec& a = attention_of(spec.layers[0]);
  EXPECT_EQ(a.n_kv_heads, 4);
  EXPECT_EQ(a.head_dim, 16);  // 64 / 4
  EXPECT_EQ(a.scale, 0.25);   // 1 / sqrt(16)
  EXPECT_FALSE(a.qkv_bias);
  ASSERT_TRUE(a.rope);
  EXPECT_EQ(a.rope->theta, 10000.0);
  EXPECT_EQ(a.rope->rotary_dim, 16);
  EXPECT_EQ(mlp_of(spec.layers[0]).activation, Activation::kSilu);
  EXPECT_EQ(mlp_of(spec.layers[0]).gate, Gate::kGated);
}

TEST_F(LlamaFamily, BiasesAreReadWhereStated) {
  const ModelSpec spec = read(small_config("llama", R"("attention_bias": true, "mlp_bias": true)"));
  EXPECT_TRUE(attention_of(spec.layers[1]).qkv_bias);
  EXPECT_TRUE(attention_of(spec.layers[1]).o_bias);
  EXPECT_TRUE(mlp_of(spec.layers[1]).bias);
}

TEST_F(LlamaFamily, HeadDimMayDifferFromTheQuotient) {
  const ModelSpec spec = read(small_config("mistral", R"("num_key_value_heads": 2, "head_dim": 32)"));
  EXPECT_EQ(attention_of(spec.layers[0]).head_dim, 32);
}

TEST_F(LlamaFamily, MistralSlidesUnlessItsWindowIsNull) {
  const std::string kv = R"("num_key_value_heads": 2)";
  EXPECT_THAT(windows(read(small_config("mistral", kv))), testing::Each(4096));  // the class default
  EXPECT_THAT(windows(read(small_config("mistral", kv + R"(, "sliding_window": 512)"))), testing::Each(512));
  EXPECT_THAT(windows(read(small_config("mistral", kv + R"(, "sliding_window": null)"))), testing::Each(0));
}

TEST_F(LlamaFamily, MistralHasEightKvHeadsWhereTheKeyIsAbsent) {
  const ModelSpec spec = read(R"({"model_type": "mistral", "hidden_size": 64, "intermediate_size": 96,
                                  "num_hidden_layers": 2, "num_attention_heads": 16})");
  EXPECT_EQ(attention_of(spec.layers[0]).n_kv_heads, 8);
  EXPECT_THAT(error_of(small_config("mistral")), HasSubstr("is 8, which does not divide 4"));
}

TEST_F(LlamaFamily, AWindowAsLongAsTheContextIsNone) {
  const ModelSpec spec = read(
      small_config("mistral", R"("num_key_value_heads": 2, "sliding_window": 4096, "max_position_embeddings": 4096)"));
  EXPECT_THAT(windows(spec), testing::Each(0));
}

TEST_F(LlamaFamily, Qwen2HasBiasOnQkvOnly) {
  const ModelSpec spec = read(small_config("qwen2", R"("num_key_value_heads": 2)"));
  EXPECT_TRUE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_FALSE(attention_of(spec.layers[0]).o_bias);
  EXPECT_EQ(spec.vocab_size, 151936);
}

TEST_F(LlamaFamily, QwenSlidesFromALayerOnAndOnlyWhereEnabled) {
  const std::string base = R"("num_key_value_heads": 2, "sliding_window": 128, "max_window_layers": 1)";
  EXPECT_THAT(windows(read(small_config("qwen2", base))), testing::ElementsAre(0, 0));
  EXPECT_THAT(windows(read(small_config("qwen2", base + R"(, "use_sliding_window": true)"))),
              testing::ElementsAre(0, 128));
  EXPECT_THAT(
      windows(read(small_config("qwen3", base + R"(, "layer_types": ["sliding_attention", "full_attention"])"))),
      testing::ElementsAre(128, 0));
}

TEST_F(LlamaFamily, LayerTypesAreChecked) {
  const std::string base = R"("num_key_value_heads": 2, "layer_types": )";
  EXPECT_THAT(error_of(small_config("qwen3", base + R"(["full_attention"])")), HasSubstr("lists 1 layers of 2"));
  EXPECT_THAT(error_of(small_config("qwen3", base + R"(["full_attention", "linear_attention"])")),
              HasSubstr("unknown kind of attention"));
}

TEST_F(LlamaFamily, Qwen3NormsQueriesAndKeys) {
  const ModelSpec spec = read(small_config("qwen3", R"("num_key_value_heads": 2)"));
  EXPECT_EQ(attention_of(spec.layers[0]).qk_norm, QkNorm::kPerHead);
  EXPECT_FALSE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_EQ(attention_of(spec.layers[0]).head_dim, 128);  // the class default, not 64 / 4
}

}  // namespace
}  // namespace dachlast
