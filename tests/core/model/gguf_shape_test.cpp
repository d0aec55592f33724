#include "core/model/gguf_shape.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"
#include "core/model/weights.h"
#include "tests/core/memory/llamacpp_shapes.h"

namespace dachlast {
namespace {

double parameters(const GgufShape& shape, LatentMatrices latent = LatentMatrices::kJoint) {
  double sum = 0;
  for (const GgufTensorShape& tensor : gguf_tensor_shapes(shape, latent)) sum += static_cast<double>(tensor.elements());
  return sum;
}

TEST(GgufShape, HoldsAllParametersOfDensePresets) {
  for (const char* name : {"llama-3.1-8b", "qwen3-8b", "qwen2.5-7b", "gemma-3-27b", "gemma-2-9b", "phi-3-mini-4k",
                           "mistral-nemo-12b", "llama-3.2-1b"}) {
    const ModelSpec model = resolve_model(name).spec;
    EXPECT_DOUBLE_EQ(parameters(gguf_shape(model)), parameter_count(model)) << name;
  }
}

TEST(GgufShape, DeepSeekV3HasWhatItsLogsState) {
  // "671.026 B" with kv_b alone, "672.050 B" with k_b and v_b beside it: 61 · 128 · 512 · (128 + 128) = 1.0234e9 more.
  const GgufShape shape = deepseek_v3_shape();
  EXPECT_NEAR(parameters(shape) / 1e9, 671.026, 0.0005);
  EXPECT_DOUBLE_EQ(parameters(shape, LatentMatrices::kSplit), parameters(shape));
  EXPECT_NEAR(parameters(shape, LatentMatrices::kBoth) / 1e9, 672.050, 0.0005);
  EXPECT_EQ(latent_matrices_of(shape, 671.026e9), LatentMatrices::kJoint);
  EXPECT_EQ(latent_matrices_of(shape, 672.050e9), LatentMatrices::kBoth);
}

/// DeepSeek V3 as its config describes it.
ModelSpec deepseek_v3() {
  ModelSpec model;
  model.architecture = "deepseek_v3";
  model.d_model = 7168;
  model.vocab_size = 129280;
  LayerSpec layer;
  layer.mixer = MlaSpec{.n_heads = 128,
                        .q_lora_rank = 1536,
                        .kv_lora_rank = 512,
                        .qk_nope_head_dim = 128,
                        .qk_rope_head_dim = 64,
                        .v_head_dim = 128,
                        .rope = {},
                        .indexer = {}};
  layer.feed_forward = MlpSpec{.d_ff = 18432};
  model.layers.assign(3, layer);
  layer.feed_forward =
      MoeSpec{.n_experts = 256, .n_active = 8, .d_ff = 2048, .shared_d_ff = 2048, .correction_bias = true};
  model.layers.resize(61, layer);
  return model;
}

TEST(GgufShape, LatentsAndExpertsComeThroughFromTheSpec) {
  const GgufShape shape = gguf_shape(deepseek_v3());
  EXPECT_DOUBLE_EQ(parameters(shape), parameters(deepseek_v3_shape()));
  EXPECT_DOUBLE_EQ(parameters(shape), 671026419200.0);  // as published, without the MTP layer
  EXPECT_EQ(std::get<GgufLatentAttention>(shape.layers[0].mixer).kv_lora_rank, 512);
  EXPECT_EQ(shape.layers[60].experts->n_active, 8);
}

TEST(GgufShape, StateSpaceLayersKeepStatesAndAllTheirWeights) {
  ModelSpec model = resolve_model("llama-3.2-1b").spec;
  Mamba2Spec mamba;
  mamba.n_heads = 64;
  mamba.head_dim = 64;
  mamba.d_state = 128;
  mamba.n_groups = 1;
  mamba.conv_kernel = 4;
  model.layers[3].mixer = mamba;
  const GgufShape shape = gguf_shape(model);
  const auto& recurrent = std::get<GgufRecurrent>(shape.layers[3].mixer);
  EXPECT_EQ(recurrent.state_elements, 64 * 64 * 128);
  EXPECT_EQ(recurrent.conv_elements, 3 * (64 * 64 + 2 * 128));  // channels of x, B and C, three tokens back
  EXPECT_DOUBLE_EQ(parameters(shape), parameter_count(model));
}

}  // namespace
}  // namespace dachlast
