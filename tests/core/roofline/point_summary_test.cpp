#include "core/roofline/point_summary.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/core/roofline/round_run.h"

namespace dachlast {
namespace {

using testing::point_of;
using testing::round_run;

const OpCost kCost{.flops = Flops{2e9}, .weight_bytes = Bytes{0.5e9}, .activation_bytes = Bytes{0.5e9}};

TEST(Spread, PercentilesFromTwentySamplesOn) {
  std::vector<double> samples(21);
  std::iota(samples.begin(), samples.end(), 0.0);  // 0 … 20: p5 at 1, p95 at 19
  const Spread spread = spread_of(samples).value();
  EXPECT_EQ(spread.kind, SpreadKind::kP5P95);
  EXPECT_DOUBLE_EQ(spread.median, 10.0);
  EXPECT_DOUBLE_EQ(spread.low, 1.0);
  EXPECT_DOUBLE_EQ(spread.high, 19.0);
  EXPECT_EQ(spread.n, 21);
}

TEST(Spread, SmallestAndLargestBelowTwenty) {
  const std::vector<double> samples(19, 3.0);
  EXPECT_EQ(spread_of(samples)->kind, SpreadKind::kMinMax);
  EXPECT_EQ(spread_of(std::vector<double>(20, 3.0))->kind, SpreadKind::kP5P95);
  const Spread spread = spread_of({5.0, 1.0, 2.0}).value();
  EXPECT_DOUBLE_EQ(spread.low, 1.0);
  EXPECT_DOUBLE_EQ(spread.median, 2.0);
  EXPECT_DOUBLE_EQ(spread.high, 5.0);
  EXPECT_FALSE(spread_of({}).has_value());
}

TEST(PointSummary, PrefillCountsTokensReadDecodeTokensProduced) {
  dachlast::Run run = round_run();
  MeasuredPoint point = point_of(Phase::kPrefill, 512, {0.5}, kCost);
  point.batch_size = 4;
  EXPECT_DOUBLE_EQ(summarise(run, point)->tokens_per_s, 4096.0);  // 4 · 512 / 0.5
  point.phase = Phase::kDecode;
  EXPECT_DOUBLE_EQ(summarise(run, point)->tokens_per_s, 8.0);  // 4 / 0.5
}

TEST(PointSummary, SharesIntensityAndGaps) {
  dachlast::Run run = round_run();
  MeasuredPoint point = point_of(Phase::kDecode, 512, {0.5, 0.5, 0.5}, kCost);
  point.busy_share = 0.75;
  point.ops[0].time = Seconds{0.375};
  const PointSummary summary = summarise(run, point).value();
  EXPECT_DOUBLE_EQ(summary.intensity->value, 2.0);  // 2e9 / 1e9
  EXPECT_DOUBLE_EQ(summary.gap_share, 0.25);
  ASSERT_EQ(summary.ops.size(), 1u);
  EXPECT_DOUBLE_EQ(summary.ops[0].share, 0.75);  // 0.375 / 0.5
  EXPECT_TRUE(summary.ops[0].verdict.has_value());
  EXPECT_TRUE(summary.verdict.has_value());
}

TEST(PointSummary, UncountedBytesGiveNoIntensity) {
  const MeasuredPoint point = point_of(Phase::kDecode, 512, {0.5}, OpCost{});
  EXPECT_FALSE(summarise(round_run(), point)->intensity.has_value());
}

TEST(PointSummary, NoSamplesNoSummary) {
  MeasuredPoint point = point_of(Phase::kDecode, 512, {0.5}, kCost);
  point.samples_s.clear();
  EXPECT_FALSE(summarise(round_run(), point).has_value());
}

}  // namespace
}  // namespace dachlast
