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

}  // namespace
}  // namespace dachlast
