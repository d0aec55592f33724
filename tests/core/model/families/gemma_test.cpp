#include <cmath>

#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class GemmaFamily : public ConfigTest {};

std::string config(const std::string& model_type, int n_layers, const std::string& more = "") {
  return R"({"model_type": ")" + model_type +
         R"(", "hidden_size": 64, "intermediate_size": 96, "num_attention_heads": 8, "num_hidden_layers": )" +
         std::to_string(n_layers) + (more.empty() ? "" : ", " + more) + "}";
}

TEST_F(GemmaFamily, GemmaScalesEmbeddingsAndOffsetsNorms) {
  const ModelSpec spec = read(config("gemma", 2, R"("num_key_value_heads": 1, "hidden_act": "gelu")"));
  EXPECT_EQ(spec.embed_scale, 8.0);  // sqrt(64)
  EXPECT_EQ(spec.norm.weight_offset, 1.0);
  EXPECT_EQ(spec.wiring, BlockWiring::kSequential);
  EXPECT_EQ(spec.naming, TensorNaming::kLlama);
  EXPECT_TRUE(spec.tied_embeddings);
  EXPECT_EQ(attention_of(spec.layers[0]).head_dim, 256);
  EXPECT_EQ(attention_of(spec.layers[0]).n_kv_heads, 1);
  EXPECT_EQ(mlp_of(spec.layers[0]).activation, Activation::kGeluTanh);  // whatever hidden_act says
  EXPECT_EQ(spec.logit_softcap, 0.0);
}

TEST_F(GemmaFamily, Gemma2AlternatesWindowsAndCapsLogits) {
  const ModelSpec spec = read(config("gemma2", 3, R"("query_pre_attn_scalar": 144, "sliding_window": 512)"));
  EXPECT_EQ(spec.wiring, BlockWiring::kSandwich);
  EXPECT_EQ(spec.naming, TensorNaming::kGemma);
  EXPECT_EQ(spec.logit_softcap, 30.0);
  EXPECT_EQ(attention_of(spec.layers[0]).softcap, 50.0);
  EXPECT_DOUBLE_EQ(attention_of(spec.layers[0]).scale, 1.0 / 12.0);  // 1 / sqrt(144)
  EXPECT_EQ(attention_of(spec.layers[0]).window, 512);
  EXPECT_EQ(attention_of(spec.layers[1]).window, 0);
  EXPECT_EQ(attention_of(spec.layers[2]).window, 512);
}

TEST_F(GemmaFamily, ANullSoftcapIsNone) {
  const ModelSpec spec =
      read(config("gemma2", 2, R"("attn_logit_softcapping": null, "final_logit_softcapping": null)"));
  EXPECT_EQ(spec.logit_softcap, 0.0);
  EXPECT_EQ(attention_of(spec.layers[0]).softcap, 0.0);
}

TEST_F(GemmaFamily, Gemma3SeesAllTokensInEverySixthLayerWithItsOwnRope) {
  const ModelSpec spec = read(config("gemma3_text", 7, R"("rope_scaling": {"rope_type": "linear", "factor": 8.0})"));
  EXPECT_EQ(attention_of(spec.layers[0]).qk_norm, QkNorm::kPerHead);
  EXPECT_EQ(spec.logit_softcap, 0.0);
  for (const int local : {0, 1, 2, 3, 4, 6}) {
    const AttentionSpec& a = attention_of(spec.layers[static_cast<std::size_t>(local)]);
    EXPECT_EQ(a.window, 4096);
    EXPECT_EQ(a.rope->theta, 1e4);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(a.rope->scaling));
  }
  const AttentionSpec& global = attention_of(spec.layers[5]);
  EXPECT_EQ(global.window, 0);
  EXPECT_EQ(global.rope->theta, 1e6);
  EXPECT_EQ(std::get<LinearRopeScaling>(global.rope->scaling).factor, 8.0);
}

TEST_F(GemmaFamily, Gemma3ReadsRopesByKindOfLayer) {
  const ModelSpec spec = read(config("gemma3_text", 6, R"("rope_parameters": {
      "full_attention": {"rope_type": "linear", "factor": 4.0, "rope_theta": 2e6},
      "sliding_attention": {"rope_type": "default", "rope_theta": 3e4}})"));
  EXPECT_EQ(attention_of(spec.layers[0]).rope->theta, 3e4);
  EXPECT_EQ(attention_of(spec.layers[5]).rope->theta, 2e6);
  EXPECT_EQ(std::get<LinearRopeScaling>(attention_of(spec.layers[5]).rope->scaling).factor, 4.0);
  EXPECT_THAT(warnings_, testing::IsEmpty());
}

TEST_F(GemmaFamily, Gemma3LeavesTheVisionTowerOutAndSaysSo) {
  const ModelSpec spec =
      read(R"({"model_type": "gemma3", "torch_dtype": "bfloat16", "vision_config": {"hidden_size": 8},
      "text_config": {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "odd": 1}})");
  EXPECT_EQ(spec.native_dtype, DType::kBF16);
  EXPECT_EQ(spec.vocab_size, 262208);
  EXPECT_EQ(attention_of(spec.layers[0]).n_heads, 8);
  EXPECT_EQ(attention_of(spec.layers[0]).n_kv_heads, 4);
  EXPECT_THAT(warning_codes(), ElementsAre("unknown_field", "vision_not_counted"));
  EXPECT_THAT(warnings_[0].text, HasSubstr("text_config.odd"));
}

TEST_F(GemmaFamily, NestedErrorsNameTheWholePath) {
  EXPECT_THAT(error_of(R"({"model_type": "gemma3", "text_config": {"hidden_size": -1}})"),
              HasSubstr("\"text_config.hidden_size\" is -1"));
  EXPECT_THAT(error_of(R"({"model_type": "gemma3"})"), HasSubstr("\"text_config\" is missing"));
  EXPECT_THAT(error_of(R"({"model_type": "gemma3", "text_config": 3})"), HasSubstr("not an object"));
}

TEST_F(GemmaFamily, AttentionToLaterTokensIsRefused) {
  EXPECT_THAT(error_of(config("gemma3_text", 2, R"("use_bidirectional_attention": true)")),
              HasSubstr("is not supported"));
}

}  // namespace
}  // namespace dachlast
