#include "core/planner/kept_pictures.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

TEST(KeptPictures, StayInTheEncoderCache) {
  // Gemma 3 27B: 8,192 tokens of 5,376.
  const ModelSpec model = resolve_model("gemma-3-27b").spec;
  EXPECT_DOUBLE_EQ(kept_pictures(model, find_engine("vllm"), 8192), 8192.0 * 5376 * 2);
  EXPECT_DOUBLE_EQ(kept_pictures(model, find_engine("vllm@0.6"), 8192), 0.0);
  EXPECT_DOUBLE_EQ(kept_pictures(model, find_engine("sglang"), 8192), 0.0);
}

}  // namespace
}  // namespace dachlast
