#include <gmock/gmock.h>

#include "core/model/weights.h"
#include "tests/core/model/config_fixture.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class QwenVl : public ConfigTest {};

const std::string kMore = R"("num_key_value_heads": 2, "vocab_size": 100)";

TEST_F(QwenVl, SecondGenerationStatesTheTextModelAtTheRoot) {
  const ModelSpec spec = read(small_config("qwen2_vl", kMore + R"(, "rope_scaling": {"type": "mrope",
      "mrope_section": [2, 3, 3]}, "vision_config": {"embed_dim": 8, "depth": 1, "mlp_ratio": 4, "patch_size": 2,
      "temporal_patch_size": 2, "spatial_merge_size": 2, "hidden_size": 64, "in_channels": 3})"));
  // Patches of 3 · 2 · 2 · 2 = 24 numbers: 8 · 24. The layer: two LayerNorms, 4 · (8 · 8 + 8), MLP of 32: 2 · 8 · 32 + 32 + 8. The
  // merger: a LayerNorm of 8, 4 · 8 = 32 squared with biases, 64 · 32 with biases.
  const double layer = 4 * 8 + 4 * (8 * 8 + 8) + 2 * 8 * 32 + 32 + 8;
  EXPECT_EQ(extra_parameter_count(spec), 8 * 24 + layer + 2 * 8 + 32 * 32 + 32 + 64 * 32 + 64);
  EXPECT_THAT(warnings_, IsEmpty());
  EXPECT_TRUE(missing_kernels(spec));
}

TEST_F(QwenVl, TowerOf25HasGatedMlpsAndRmsNorms) {
  const ModelSpec spec = read(small_config("qwen2_5_vl", kMore + R"(, "vision_config": {"hidden_size": 8, "depth": 1,
      "intermediate_size": 12, "patch_size": 2, "spatial_merge_size": 2, "out_hidden_size": 64, "in_channels": 3})"));
  const double layer = 2 * 8 + 4 * (8 * 8 + 8) + 2 * (12 * 8 + 12) + 8 * 12 + 8;
  EXPECT_EQ(extra_parameter_count(spec), 8 * 24 + layer + 8 + 32 * 32 + 32 + 64 * 32 + 64);
}

TEST_F(QwenVl, WithoutAVisionConfigTheTowerIsLeftOutAloud) {
  EXPECT_EQ(extra_parameter_count(read(small_config("qwen2_5_vl", kMore))), 0);
  EXPECT_THAT(warning_codes(), ElementsAre("vision_not_counted"));
}

}  // namespace
}  // namespace dachlast
