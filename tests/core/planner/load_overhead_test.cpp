#include "core/planner/load_overhead.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

constexpr double kMib = 1024.0 * 1024.0;

LoadOverhead of_vllm(const std::string& preset, const WeightFormat& weights, int tp, const std::string& architecture) {
  DeviceSpec device;
  device.architecture = architecture;
  Layout layout;
  layout.tensor_parallel = tp;
  return load_overhead(resolve_model(preset).spec, weights, layout, find_engine("vllm"), device, 0);
}

TEST(LoadOverhead, TablesHoldAPairOfNumbersForEveryPosition) {
  const LoadOverhead overhead = of_vllm("llama-3.1-8b", plain_weights(*storage_format("bf16")), 1, "Ampere");
  // 131,072 positions · 128 rotated dimensions · 2 B = 32 MiB. Every matrix fills whole segments: 48, 32, 224, 112 MiB.
  EXPECT_DOUBLE_EQ(overhead.tables, 32 * kMib);
  EXPECT_DOUBLE_EQ(overhead.allocator, 0.0);
  EXPECT_DOUBLE_EQ(overhead.padding, 0.0);
}

TEST(LoadOverhead, SegmentsAreWholeUnlessTheRestIsWorthSplittingOff) {
  const LoadOverhead overhead = of_vllm("qwen2.5-32b", plain_weights(*storage_format("bf16")), 2, "Ada");
  // Of each rank and layer: qkv 3,584 · 5,120 · 2 B = 35 MiB, o 25, down 135 MiB: one MiB each; gate and up 270: none.
  // Embeddings and head, 152,064 / 2 · 5,120 · 2 B = 742.5 MiB, leave 1.5 MiB, which is split off.
  EXPECT_DOUBLE_EQ(overhead.allocator, 64 * 3 * kMib);
}

TEST(LoadOverhead, EnginesOfAnotherAllocatorHaveNone) {
  const LoadOverhead overhead =
      load_overhead(resolve_model("llama-3.1-8b").spec, plain_weights(*storage_format("bf16")), Layout{},
                    find_engine("llama.cpp"), DeviceSpec{}, 0);
  EXPECT_DOUBLE_EQ(overhead.total(), 0.0);
}

TEST(LoadOverhead, KernelsOfFourBitExpertsPadTheirMatrices) {
  const ModelSpec model = resolve_model("gpt-oss-20b").spec;
  ASSERT_TRUE(model.quantized_weights);
  DeviceSpec hopper;
  hopper.architecture = "Hopper";
  const LoadOverhead overhead =
      load_overhead(model, *model.quantized_weights, Layout{}, find_engine("vllm"), hopper, 0);
  // 2,880 columns become 3,072: 192 more of (5,760 + 2,880) rows · 32 experts · 24 layers, 4.25 bits each.
  EXPECT_DOUBLE_EQ(overhead.padding, 192.0 * (5760 + 2880) * 32 * 24 * 4.25 / 8);
}

}  // namespace
}  // namespace dachlast
