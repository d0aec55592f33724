#include "core/roofline/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/roofline/round_run.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;
using testing::point_of;
using testing::round_run;

const OpCost kCost{.flops = Flops{1e9}, .weight_bytes = Bytes{1e9}};

/// Ten samples from 1 % below to 1 % above `middle`.
std::vector<double> around(double middle) {
  std::vector<double> samples;
  for (const double offset : {-1.0, -0.8, -0.6, -0.4, -0.2, 0.2, 0.4, 0.6, 0.8, 1.0})
    samples.push_back(middle * (1.0 + offset / 100.0));
  return samples;
}

Run run_with(double decode_s, double prefill_s = 1.0) {
  dachlast::Run run = round_run();
  run.points = {point_of(Phase::kPrefill, 512, around(prefill_s), kCost),
                point_of(Phase::kDecode, 512, around(decode_s), kCost)};
  return run;
}

const PointChange& decode_of(const Comparison& comparison) {
  return comparison.points.at(1);
}

TEST(Compare, ARunAgainstItselfIsWithinNoise) {
  const Comparison comparison = compare_runs(run_with(0.2), run_with(0.2));
  ASSERT_EQ(comparison.points.size(), 2u);
  for (const PointChange& point : comparison.points) {
    EXPECT_DOUBLE_EQ(point.time.change, 0.0);
    EXPECT_EQ(point.time.verdict, ChangeVerdict::kWithinNoise);
    EXPECT_GE(point.time.noise.value(), kLeastNoise);
  }
  EXPECT_TRUE(comparison.configuration.empty());
}

TEST(Compare, AChangeOutsideTheNoiseIsFasterOrSlower) {
  const Comparison slower = compare_runs(run_with(0.2), run_with(0.22));
  EXPECT_NEAR(decode_of(slower).time.change, 0.1, 1e-12);
  EXPECT_EQ(decode_of(slower).time.verdict, ChangeVerdict::kSlower);
  EXPECT_EQ(slower.points[0].time.verdict, ChangeVerdict::kWithinNoise);
  EXPECT_EQ(decode_of(compare_runs(run_with(0.2), run_with(0.18))).time.verdict, ChangeVerdict::kFaster);
}

TEST(Compare, LessThanTheLeastNoiseIsNeverAChange) {
  dachlast::Run base = run_with(0.2);
  dachlast::Run other = run_with(0.2);
  base.points[1].samples_s.assign(10, 0.2000);   // no spread at all, so the interval has no width
  other.points[1].samples_s.assign(10, 0.2010);  // 0.5 %
  EXPECT_EQ(decode_of(compare_runs(base, other)).time.verdict, ChangeVerdict::kWithinNoise);
  EXPECT_EQ(decode_of(compare_runs(base, other, 0.004)).time.verdict, ChangeVerdict::kSlower);
}

TEST(Compare, TooFewSamplesHaveNoKnownNoiseAndNoVerdict) {
  dachlast::Run base = run_with(0.2);
  base.points[1].samples_s.resize(5);
  const Comparison comparison = compare_runs(base, run_with(0.4));
  EXPECT_FALSE(decode_of(comparison).time.noise.has_value());
  EXPECT_EQ(decode_of(comparison).time.verdict, ChangeVerdict::kWithinNoise);
}

TEST(Compare, PhasesAddUpTheirPoints) {
  dachlast::Run base = run_with(0.2);
  dachlast::Run other = run_with(0.2);
  base.points.push_back(point_of(Phase::kDecode, 1024, around(0.6), kCost));
  other.points.push_back(point_of(Phase::kDecode, 1024, around(0.8), kCost));
  const Comparison comparison = compare_runs(base, other);
  ASSERT_EQ(comparison.phases.size(), 2u);
  EXPECT_EQ(comparison.phases[1].n_points, 2);
  EXPECT_NEAR(comparison.phases[1].time.change, 0.25, 1e-12);  // (0.2 + 0.8) / (0.2 + 0.6) − 1
  EXPECT_EQ(comparison.phases[1].time.verdict, ChangeVerdict::kSlower);
}

TEST(Compare, PointsInOneRunOnlyAreListed) {
  dachlast::Run base = run_with(0.2);
  dachlast::Run other = run_with(0.2);
  base.points[1].context_tokens = 256;
  other.points[1].batch_size = 8;
  const Comparison comparison = compare_runs(base, other);
  EXPECT_EQ(comparison.points.size(), 1u);
  ASSERT_EQ(comparison.only_in_base.size(), 1u);
  EXPECT_EQ(comparison.only_in_base[0].context_tokens, 256);
  ASSERT_EQ(comparison.only_in_other.size(), 1u);
  EXPECT_EQ(comparison.only_in_other[0].batch_size, 8);
}

TEST(Compare, AnotherKindOfCacheIsASettingNoneIsAnotherPoint) {
  const dachlast::Run base = run_with(0.2);
  dachlast::Run other = run_with(0.18);
  for (MeasuredPoint& point : other.points) point.kv_policy = KvPolicy::kPaged;
  EXPECT_EQ(decode_of(compare_runs(base, other)).time.verdict, ChangeVerdict::kFaster);
  for (MeasuredPoint& point : other.points) point.kv_policy = KvPolicy::kNone;
  EXPECT_TRUE(compare_runs(base, other).points.empty());
}

TEST(Compare, DifferencesInConfigurationAreListed) {
  dachlast::Run other = run_with(0.2);
  other.n_threads = 1;
  other.precision.weights = DType::kBF16;
  for (BandwidthRoof& roof : other.roofs.bandwidths) roof.n_threads = 1;
  for (ComputeRoof& roof : other.roofs.computes) roof.n_threads = 1;
  const Comparison comparison = compare_runs(run_with(0.2), other);
  ASSERT_EQ(comparison.configuration.size(), 2u);
  EXPECT_EQ(comparison.configuration[0].key, "weight dtype");
  EXPECT_EQ(comparison.configuration[0].other, "bf16");
  EXPECT_EQ(comparison.configuration[1].key, "threads");
  EXPECT_EQ(comparison.configuration[1].base, "2");
}

TEST(Compare, OperationsOfBothRunsAreSetSideBySide) {
  dachlast::Run other = run_with(0.22);
  other.points[1].ops.push_back({OpKind::kSample, 1, Seconds{1e-3}, {}, DType::kF32});
  const Comparison comparison = compare_runs(run_with(0.2), other);
  const PointChange& decode = decode_of(comparison);
  ASSERT_EQ(decode.ops.size(), 1u);
  EXPECT_EQ(decode.ops[0].op, OpKind::kMlpUp);
  EXPECT_DOUBLE_EQ(decode.ops[0].other / decode.ops[0].base, 1.1);  // 0.2178 / 0.198, the first samples
}

TEST(FailRules, AreReadFromText) {
  const auto rules = parse_fail_rules("decode:5%,prefill:10");
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[0].phase, Phase::kDecode);
  EXPECT_DOUBLE_EQ(rules[0].limit, 0.05);
  EXPECT_EQ(rules[1].phase, Phase::kPrefill);
  EXPECT_DOUBLE_EQ(rules[1].limit, 0.1);
}

TEST(FailRules, UnreadableTextNamesThePart) {
  for (const char* text : {"", "decode", "decode:", "decode:x%", "decode:-5%", "decode:nan%", "decode:inf", "ttft:5%",
                           "decode:5%,", "decode:5%%", ":5%"}) {
    try {
      parse_fail_rules(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << text;
      EXPECT_THAT(error.subject(), HasSubstr("fail rule"));
    }
  }
}

TEST(FailRules, BreakBeyondLimitAndNoise) {
  const Comparison slower = compare_runs(run_with(0.2), run_with(0.22));  // decode + 10 %
  EXPECT_TRUE(failed_rules(slower, parse_fail_rules("decode:11%")).empty());
  EXPECT_TRUE(failed_rules(slower, parse_fail_rules("prefill:0%")).empty());
  const auto failed = failed_rules(slower, parse_fail_rules("prefill:0%,decode:9%"));
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].worst_point.phase, Phase::kDecode);
  EXPECT_NEAR(failed[0].change, 0.1, 1e-12);
}

TEST(FailRules, AnUncheckedRuleDoesNotPass) {
  dachlast::Run base = run_with(0.2);
  base.points.pop_back();
  EXPECT_THROW(failed_rules(compare_runs(base, run_with(0.2)), parse_fail_rules("decode:5%")), Error);
  base = run_with(0.2);
  base.points[1].samples_s.resize(1);
  EXPECT_THROW(failed_rules(compare_runs(base, run_with(0.2)), parse_fail_rules("decode:5%")), Error);
}

}  // namespace
}  // namespace dachlast
