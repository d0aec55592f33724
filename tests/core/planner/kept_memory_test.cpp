#include "core/planner/kept_memory.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

TEST(KeptMemory, ExpertBuffersOutliveTheirLayers) {
  // Qwen3-30B-A3B, 8,192 tokens, 8 experts of 768, d_model 2,048: 8,192 · 8 · (2,048 + 2,048) · 2 B = 0.5 GiB.
  const ModelSpec model = resolve_model("qwen3-30b-a3b").spec;
  const KeptMemory kept = kept_memory(model, find_engine("vllm@0.19"), {}, 8192);
  EXPECT_DOUBLE_EQ(kept.expert_buffers, 0.5 * kGiB);
  EXPECT_DOUBLE_EQ(kept.pictures, 0.0);
  EXPECT_DOUBLE_EQ(kept_memory(model, find_engine("vllm@0.14"), {}, 8192).total(), 0.0);
}

TEST(KeptMemory, SlicesOfExpertsNeedNoLessThanTheWidthOfTheModel) {
  // Qwen1.5-MoE: 4 experts of 1,408. Whole, 2 · 1,408 = 2,816 and 2,048; at TP 2, 1,408 and so 2,048 twice.
  const ModelSpec model = resolve_model("qwen1.5-moe-a2.7b").spec;
  const EngineProfile vllm = find_engine("vllm");
  EXPECT_DOUBLE_EQ(kept_memory(model, vllm, {}, 8192).expert_buffers, 8192.0 * 4 * (2048 + 2816) * 2);
  EXPECT_DOUBLE_EQ(kept_memory(model, vllm, {.tensor_parallel = 2}, 8192).expert_buffers, 8192.0 * 4 * 4096 * 2);
}

TEST(KeptMemory, PicturesStayInTheEncoderCache) {
  // Gemma 3 27B: 8,192 tokens of 5,376.
  const ModelSpec model = resolve_model("gemma-3-27b").spec;
  EXPECT_DOUBLE_EQ(kept_memory(model, find_engine("vllm"), {}, 8192).pictures, 8192.0 * 5376 * 2);
  EXPECT_DOUBLE_EQ(kept_memory(model, find_engine("vllm@0.6"), {}, 8192).pictures, 0.0);
  EXPECT_DOUBLE_EQ(kept_memory(model, find_engine("sglang"), {}, 8192).pictures, 0.0);
}

}  // namespace
}  // namespace dachlast
