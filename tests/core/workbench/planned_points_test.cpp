#include "core/workbench/planned_points.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

TEST(PlannedPoints, EveryBatchContextAndPhaseInThisOrder) {
  RunRequest request;
  request.phases = {Phase::kPrefill, Phase::kDecode};
  request.depth_tokens = 100;
  const auto points = planned_points(request, {256, 512}, {1, 4});
  ASSERT_EQ(points.size(), 8U);  // 2 · 2 · 2
  EXPECT_EQ(points[0].batch_size, 1);
  EXPECT_EQ(points[0].context_tokens, 256);
  EXPECT_EQ(points[0].phase, Phase::kPrefill);
  EXPECT_EQ(points[0].depth_tokens, 100);
  EXPECT_EQ(points[1].phase, Phase::kDecode);
  EXPECT_EQ(points[1].depth_tokens, 0);  // a depth is about prefill
  EXPECT_EQ(points[2].context_tokens, 512);
  EXPECT_EQ(points[4].batch_size, 4);
}

TEST(PlannedPoints, StepsReadThePromptBehindTheDepthOrOneToken) {
  const PlannedPoint prefill{
      .phase = Phase::kPrefill, .context_tokens = 512, .depth_tokens = 100, .batch_size = 2, .expected = {}};
  EXPECT_EQ(step_of(prefill, KvPolicy::kContiguous).q_len, 412);
  EXPECT_EQ(step_of(prefill, KvPolicy::kContiguous).kv_len, 512);
  const PlannedPoint decode{.phase = Phase::kDecode, .context_tokens = 512, .batch_size = 2, .expected = {}};
  EXPECT_EQ(step_of(decode, KvPolicy::kPaged).q_len, 1);
  EXPECT_EQ(step_of(decode, KvPolicy::kPaged).batch_size, 2);
  EXPECT_EQ(step_of(decode, KvPolicy::kNone).q_len, 512);  // all of the text anew
}

TEST(PlannedPoints, TheLargerBreakdownStays) {
  RunPlan plan;
  keep_larger(plan, {{.name = "a", .bytes = {2.0}, .formula = ""}});
  keep_larger(plan, {{.name = "b", .bytes = {1.0}, .formula = ""}});
  EXPECT_EQ(plan.memory.at(0).name, "a");
  EXPECT_EQ(plan.needed_bytes, 2.0);
  keep_larger(plan, {{.name = "c", .bytes = {3.0}, .formula = ""}});
  EXPECT_EQ(plan.memory.at(0).name, "c");
}

}  // namespace
}  // namespace dachlast
