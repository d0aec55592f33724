#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

class OptFamily : public ConfigTest {};

std::string config(const std::string& more = "") {
  return R"({"model_type": "opt", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "ffn_dim": 256)" +
         (more.empty() ? "" : ", " + more) + "}";
}

TEST_F(OptFamily, KeepsTwoRowsBeforePositionZero) {
  const ModelSpec spec = read(config());
  EXPECT_EQ(spec.naming, TensorNaming::kOpt);
  EXPECT_EQ(spec.max_context, 2048);
  EXPECT_EQ(spec.n_learned_positions, 2050);
  EXPECT_EQ(spec.learned_position_offset, 2);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_TRUE(spec.final_norm);
  EXPECT_EQ(spec.wiring, BlockWiring::kSequential);
  EXPECT_EQ(mlp_of(spec.layers[0]).activation, Activation::kRelu);
  EXPECT_TRUE(mlp_of(spec.layers[0]).bias);
  EXPECT_TRUE(attention_of(spec.layers[0]).o_bias);
}

TEST_F(OptFamily, BiasesCanBeSwitchedOff) {
  const ModelSpec spec = read(config(R"("enable_bias": false)"));
  EXPECT_FALSE(mlp_of(spec.layers[0]).bias);
  EXPECT_FALSE(attention_of(spec.layers[0]).qkv_bias);
}

TEST_F(OptFamily, NormAfterTheBranchesLeavesOutTheFinalNorm) {
  const ModelSpec spec = read(config(R"("do_layer_norm_before": false)"));
  EXPECT_EQ(spec.wiring, BlockWiring::kPostNorm);
  EXPECT_FALSE(spec.final_norm);
}

TEST_F(OptFamily, RefusesProjectedEmbeddings) {
  EXPECT_THAT(error_of(config(R"("word_embed_proj_dim": 32)")), HasSubstr("OPT-350m"));
  EXPECT_THAT(error_of(config(R"("layer_norm_elementwise_affine": false)")), HasSubstr("not supported"));
}

}  // namespace
}  // namespace dachlast
