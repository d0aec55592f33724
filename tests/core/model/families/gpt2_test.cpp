#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

class Gpt2Family : public ConfigTest {};

std::string config(const std::string& more = "") {
  return R"({"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4)" + (more.empty() ? "" : ", " + more) + "}";
}

TEST_F(Gpt2Family, HasLearnedPositionsTiedEmbeddingsAndBiases) {
  const ModelSpec spec = read(config());
  EXPECT_EQ(spec.naming, TensorNaming::kGpt2);
  EXPECT_EQ(spec.vocab_size, 50257);
  EXPECT_EQ(spec.max_context, 1024);
  EXPECT_EQ(spec.n_learned_positions, 1024);
  EXPECT_EQ(spec.learned_position_offset, 0);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_FALSE(spec.lm_head_bias);
  EXPECT_EQ(spec.norm.kind, NormKind::kLayer);
  EXPECT_FALSE(attention_of(spec.layers[0]).rope);
  EXPECT_TRUE(attention_of(spec.layers[0]).qkv_bias);
  EXPECT_TRUE(attention_of(spec.layers[0]).o_bias);
  EXPECT_EQ(mlp_of(spec.layers[0]).d_ff, 256);  // 4 · 64
  EXPECT_TRUE(mlp_of(spec.layers[0]).bias);
  EXPECT_EQ(mlp_of(spec.layers[0]).gate, Gate::kNone);
  EXPECT_EQ(mlp_of(spec.layers[0]).activation, Activation::kGeluTanh);
}

TEST_F(Gpt2Family, ScalesScoresAsStated) {
  EXPECT_EQ(attention_of(read(config()).layers[1]).scale, 0.25);  // 1 / sqrt(64 / 4)
  EXPECT_EQ(attention_of(read(config(R"("scale_attn_weights": false)")).layers[1]).scale, 1.0);
  EXPECT_EQ(attention_of(read(config(R"("scale_attn_by_inverse_layer_idx": true)")).layers[1]).scale,
            0.125);  // 0.25 / 2
}

TEST_F(Gpt2Family, RefusesCrossAttention) {
  EXPECT_THAT(error_of(config(R"("add_cross_attention": true)")), HasSubstr("cross-attention"));
}

}  // namespace
}  // namespace dachlast
