#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

class PhiFamily : public ConfigTest {};

TEST_F(PhiFamily, IsParallelWithBiasesAndPartialRotation) {
  const ModelSpec spec = read(small_config("phi", R"("partial_rotary_factor": 0.5)"));
  EXPECT_EQ(spec.naming, TensorNaming::kPhi);
  EXPECT_EQ(spec.wiring, BlockWiring::kParallel);
  EXPECT_EQ(spec.norm.kind, NormKind::kLayer);
  EXPECT_TRUE(spec.lm_head_bias);
  EXPECT_TRUE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_TRUE(attention_of(spec.layers[0]).o_bias);
  EXPECT_EQ(attention_of(spec.layers[0]).rope->rotary_dim, 8);  // 0.5 · 64 / 4
  EXPECT_TRUE(mlp_of(spec.layers[0]).bias);
  EXPECT_EQ(mlp_of(spec.layers[0]).gate, Gate::kNone);
  EXPECT_EQ(mlp_of(spec.layers[0]).activation, Activation::kGeluTanh);
}

TEST_F(PhiFamily, APartOfTheHeadIsNotRoundedDownByFloatingPoint) {
  // 0.7 · 20 is 13.999999999999998 in double; the rotated part is 14.
  const ModelSpec spec = read(R"({"model_type": "phi", "hidden_size": 80, "intermediate_size": 96,
      "num_hidden_layers": 1, "num_attention_heads": 4, "partial_rotary_factor": 0.7})");
  EXPECT_EQ(attention_of(spec.layers[0]).rope->rotary_dim, 14);
}

TEST_F(PhiFamily, OldSpellingMeansTheSame) {
  const ModelSpec spec = read(R"({"model_type": "phi-msft", "n_embd": 64, "n_head": 4, "n_head_kv": null, "n_layer": 2,
      "n_inner": null, "n_positions": 128, "rotary_dim": 4, "activation_function": "gelu_new",
      "layer_norm_epsilon": 1e-4, "vocab_size": 100})");
  EXPECT_EQ(spec.d_model, 64);
  EXPECT_EQ(spec.n_layers(), 2);
  EXPECT_EQ(spec.max_context, 128);
  EXPECT_EQ(spec.norm.eps, 1e-4);
  EXPECT_EQ(attention_of(spec.layers[0]).n_kv_heads, 4);
  EXPECT_EQ(attention_of(spec.layers[0]).rope->rotary_dim, 4);
  EXPECT_EQ(mlp_of(spec.layers[0]).d_ff, 256);  // 4 · 64
  EXPECT_THAT(warnings_, testing::IsEmpty());
}

TEST_F(PhiFamily, RefusesNormedQueries) {
  EXPECT_THAT(error_of(small_config("phi", R"("qk_layernorm": true)")), HasSubstr("is not supported"));
}

TEST_F(PhiFamily, RefusesOddRotaryDimensions) {
  for (const char* bad : {"3", "18"})
    EXPECT_THAT(error_of(small_config("phi", std::string(R"("rotary_dim": )") + bad)), HasSubstr("rotary_dim")) << bad;
  EXPECT_THAT(error_of(small_config("phi", R"("partial_rotary_factor": 1.5)")), HasSubstr("above 1"));
}

TEST_F(PhiFamily, Phi3IsFusedGatedAndWithoutBias) {
  const ModelSpec spec = read(small_config("phi3", R"("sliding_window": 512, "tie_word_embeddings": true)"));
  EXPECT_EQ(spec.naming, TensorNaming::kPhi3);
  EXPECT_EQ(spec.wiring, BlockWiring::kSequential);
  EXPECT_EQ(spec.norm.kind, NormKind::kRms);
  EXPECT_EQ(spec.norm.eps, 1e-5);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(attention_of(spec.layers[0]).window, 512);
  EXPECT_FALSE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_EQ(mlp_of(spec.layers[0]).gate, Gate::kGated);
  EXPECT_THAT(error_of(small_config("phi3", R"("attention_bias": true)")), HasSubstr("a bias in Phi-3"));
}

}  // namespace
}  // namespace dachlast
