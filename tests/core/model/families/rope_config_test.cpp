#include "core/model/families/rope_config.h"

#include <cmath>

#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class RopeConfig : public ConfigTest {
 protected:
  RopeSpec rope(const std::string& more) { return *attention_of(read(small_config("llama", more)).layers[0]).rope; }
};

TEST_F(RopeConfig, ReadsLlama3) {
  const RopeSpec read = rope(R"("rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3", "factor": 32.0,
      "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192})");
  EXPECT_EQ(read.theta, 500000.0);
  const auto& scaling = std::get<Llama3RopeScaling>(read.scaling);
  EXPECT_EQ(scaling.factor, 32.0);
  EXPECT_EQ(scaling.original_context, 8192);
}

TEST_F(RopeConfig, ReadsNewerSpelling) {
  const RopeSpec read = rope(R"("rope_parameters": {"rope_type": "linear", "factor": 2, "rope_theta": 5000.0,
                                                    "partial_rotary_factor": 0.5})");
  EXPECT_EQ(read.theta, 5000.0);
  EXPECT_EQ(read.rotary_dim, 8);  // half of 64 / 4
  EXPECT_EQ(std::get<LinearRopeScaling>(read.scaling).factor, 2.0);
}

TEST_F(RopeConfig, YarnExtendsTheContextAndDerivesItsAttentionFactor) {
  const ModelSpec spec = read(small_config("llama", R"("max_position_embeddings": 1000,
      "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1000})"));
  EXPECT_EQ(spec.max_context, 4000);
  const auto& scaling = std::get<YarnRopeScaling>(attention_of(spec.layers[0]).rope->scaling);
  EXPECT_DOUBLE_EQ(scaling.attention_factor, 0.1 * std::log(4.0) + 1.0);
  EXPECT_EQ(scaling.beta_fast, 32.0);
  EXPECT_EQ(scaling.beta_slow, 1.0);
}

TEST_F(RopeConfig, LongRopeDerivesItsAttentionFactorFromTheContexts) {
  const std::string eight = "[1, 1, 1, 1, 1, 1, 1, 1]";
  const ModelSpec spec = read(small_config("phi3", R"("max_position_embeddings": 131072,
      "original_max_position_embeddings": 4096, "rope_scaling": {"type": "su", "short_factor": )" +
                                                       eight + R"(, "long_factor": )" + eight + "}"));
  const auto& scaling = std::get<LongRopeScaling>(attention_of(spec.layers[0]).rope->scaling);
  EXPECT_EQ(scaling.original_context, 4096);
  // sqrt(1 + ln(131072 / 4096) / ln 4096) = sqrt(1 + 5/12), as 32 = 2^5 and 4096 = 2^12
  EXPECT_DOUBLE_EQ(scaling.attention_factor, std::sqrt(17.0 / 12.0));
}

TEST_F(RopeConfig, DynamicScalingIsNotAppliedAndSaysSo) {
  const RopeSpec read = rope(R"("rope_scaling": {"type": "dynamic", "factor": 2.0})");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(read.scaling));
  EXPECT_THAT(warning_codes(), ElementsAre("rope_scaling"));
}

TEST_F(RopeConfig, RefusesWhatItCannotCompute) {
  const auto error = [&](const std::string& scaling) {
    return error_of(small_config("llama", R"("rope_scaling": )" + scaling));
  };
  EXPECT_THAT(error(R"({"type": "magic"})"), HasSubstr("unknown RoPE scaling"));
  EXPECT_THAT(error(R"({"type": "linear"})"), HasSubstr("\"rope_scaling.factor\" is missing"));
  EXPECT_THAT(error(R"({"type": "linear", "factor": 0.5})"), HasSubstr("below 1"));
  EXPECT_THAT(error(R"({"type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 3})"),
              HasSubstr("below low_freq_factor"));
  EXPECT_THAT(error(R"({"type": "longrope", "short_factor": [1], "long_factor": [1]})"),
              HasSubstr("list of 8 numbers"));
  EXPECT_THAT(error(R"({"type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1, 1, 0], "long_factor": [1]})"),
              HasSubstr("holds 0"));
  EXPECT_THAT(error(R"({"type": "longrope", "short_factor": [1, 1, 1, 1, 1, 1, 1, 1e-300], "long_factor": [1]})"),
              HasSubstr("no plausible divisor"));
  EXPECT_THAT(error(R"({"type": "yarn", "factor": 4, "mscale": 1.0})"), HasSubstr("latent attention"));
  EXPECT_THAT(error("[1]"), HasSubstr("not an object"));
}

}  // namespace
}  // namespace dachlast
