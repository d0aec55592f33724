#include "core/roofline/speedup.h"

#include <gtest/gtest.h>

#include "tests/core/roofline/round_run.h"

namespace dachlast {
namespace {

using testing::point_of;
using testing::round_run;

TEST(CacheSpeedup, PerTokenAndUpToIt) {
  const UncachedComparison comparison{8, {0.1, 0.1, 0.2}, {0.1, 0.3, 0.8}, 1};
  const auto series = cache_speedups(comparison);
  ASSERT_EQ(series.size(), 3u);
  EXPECT_EQ(series[2].n_generated, 3);
  EXPECT_EQ(series[2].sequence_tokens, 10);        // prompt of 8 and 2 generated before
  EXPECT_DOUBLE_EQ(series[2].speedup, 4.0);        // 0.8 / 0.2
  EXPECT_DOUBLE_EQ(series[2].total_speedup, 3.0);  // 1.2 / 0.4
  EXPECT_DOUBLE_EQ(series[1].cached_total.value, 0.2);
  EXPECT_DOUBLE_EQ(series[1].uncached_total.value, 0.4);
}

TEST(CacheSpeedup, EndsWhereARatioEnds) {
  EXPECT_EQ(cache_speedups({8, {0.1, 0.1, 0.1}, {0.2, 0.2}, 1}).size(), 2u);
  EXPECT_EQ(cache_speedups({8, {0.1, 0.0, 0.1}, {0.2, 0.2, 0.2}, 1}).size(), 1u);
  EXPECT_TRUE(cache_speedups({}).empty());
}

TEST(DecodeSpeedup, PairsPointsOfEqualContextAndBatch) {
  dachlast::Run run = round_run();
  run.points = {point_of(Phase::kDecode, 128, {0.1}, {}), point_of(Phase::kDecode, 256, {0.2}, {}),
                point_of(Phase::kDecode, 256, {0.8}, {}), point_of(Phase::kPrefill, 128, {9.0}, {})};
  run.points[2].kv_policy = KvPolicy::kNone;
  run.points[3].kv_policy = KvPolicy::kNone;
  const auto speedups = decode_speedups(run);
  ASSERT_EQ(speedups.size(), 1u);
  EXPECT_EQ(speedups[0].context_tokens, 256);
  EXPECT_DOUBLE_EQ(speedups[0].speedup, 4.0);  // 0.8 / 0.2
}

}  // namespace
}  // namespace dachlast
