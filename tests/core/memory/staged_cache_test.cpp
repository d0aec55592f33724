#include "core/memory/staged_cache.h"

#include <gtest/gtest.h>

#include "kernels/cost.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

MemoryScenario scenario_with(const char* kv) {
  MemoryScenario scenario{.precision = {DType::kBF16, {.format = KvFormat::kBF16}},
                          .batch_size = 2,
                          .capacity_tokens = 1000,
                          .max_step_tokens = 1000,
                          .attention_variant = {}};
  scenario.kv = parse_kv_spec("--kv", kv);
  return scenario;
}

// A token of a layer of the round model: K and V of 4 heads of 16 in 2 B = 256 B.
TEST(StagedCache, HasTwoLayersInWorkAndTheRestInItsTier) {
  const auto segments = staged_cache_segments(round_model(), scenario_with("offload:host:100"));
  ASSERT_EQ(segments.size(), 2u);
  // 2 sequences of 10 blocks of 100 tokens: 512,000 B a layer. A block of 25,600 B, and a line to align it.
  EXPECT_DOUBLE_EQ(segments[0].bytes.value, 2 * 512000.0 + 25600 + 64);
  EXPECT_DOUBLE_EQ(segments[1].bytes.value, 4 * 512000.0);
  EXPECT_DOUBLE_EQ(kv_file_bytes(round_model(), scenario_with("offload:host:100")).value, 0.0);
}

TEST(StagedCache, AFileHoldsBlocksOf4096Bytes) {
  const MemoryScenario scenario = scenario_with("offload:file:100");
  const auto segments = staged_cache_segments(round_model(), scenario);
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_DOUBLE_EQ(segments[0].bytes.value, 2 * 512000.0 + 28672 + 4096);  // ⌈25,600 / 4,096⌉ = 7 of them
  EXPECT_DOUBLE_EQ(kv_file_bytes(round_model(), scenario).value, 4 * 20 * 28672.0);
}

TEST(StagedCache, ARecomputedOneKeepsTheNewest) {
  const auto segments = staged_cache_segments(round_model(), scenario_with("recompute:100"));
  ASSERT_EQ(segments.size(), 2u);
  // Blocks of 16 tokens, 4,096 B: 100 tokens touch ⌈100 / 16⌉ + 1 = 8 at most, in 2 sequences and 4 layers.
  EXPECT_DOUBLE_EQ(segments[1].bytes.value, 2 * 4 * 8 * 4096.0);
  EXPECT_EQ(recomputed_tokens(scenario_with("recompute:100").kv, 999), 896);  // 899 in whole blocks of 16
  EXPECT_EQ(recomputed_tokens(scenario_with("recompute:100").kv, 90), 0);
}

TEST(StagedCache, MovesWholeChunks) {
  const MemoryScenario scenario = scenario_with("offload:file:100");
  const std::vector<SequenceLengths> step = {{.q_len = 1, .kv_len = 251}, {.q_len = 150, .kv_len = 350}};
  const TierBytes bytes = offload_step_bytes(round_model(), scenario, step);
  // Before: 250 and 200 tokens are 3 + 2 chunks. Written: the third of the first, the third and fourth of the second.
  EXPECT_DOUBLE_EQ(bytes.read.value, 4 * 5 * 28672.0);
  EXPECT_DOUBLE_EQ(bytes.written.value, 4 * 3 * 28672.0);
}

TEST(StagedCache, RecomputingCostsAPrefillWithoutItsHead) {
  const Precision precision{DType::kF32, {}};
  const OpCost cost = recompute_cost(round_model(), precision, 100);
  OpCost head, all;
  for (const Op& op : build_op_list(round_model(), {Phase::kPrefill, 1, 100, 100}, precision)) {
    all += kernels::op_cost(op.shape);
    if (op.layer < 0) head += kernels::op_cost(op.shape);
  }
  EXPECT_DOUBLE_EQ(cost.flops.value, all.flops.value - head.flops.value);
  // Products alone: 100 tokens · 2 · 49,152 in 4 layers.
  EXPECT_GT(cost.flops.value, 100 * 2 * 49152.0 * 4);
  EXPECT_EQ(recompute_cost(round_model(), precision, 0).flops.value, 0.0);
}

}  // namespace
}  // namespace dachlast
