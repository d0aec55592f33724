#include "core/base/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

TEST(Statistics, MedianOfOddAndEvenNumbers) {
  EXPECT_DOUBLE_EQ(median(std::vector{5.0, 1.0, 9.0}), 5.0);
  EXPECT_DOUBLE_EQ(median(std::vector{5.0, 1.0, 9.0, 6.0}), 5.5);  // (5 + 6) / 2
  EXPECT_DOUBLE_EQ(median(std::vector{7.0}), 7.0);
}

TEST(Statistics, PercentileIsLinearBetweenNeighbours) {
  const std::vector samples{40.0, 10.0, 30.0, 20.0};
  EXPECT_DOUBLE_EQ(percentile(samples, 0), 10.0);
  EXPECT_DOUBLE_EQ(percentile(samples, 100), 40.0);
  EXPECT_DOUBLE_EQ(percentile(samples, 50), 25.0);  // h = 3 · 0.5 = 1.5: 20 + 0.5 · 10
  EXPECT_DOUBLE_EQ(percentile(samples, 95), 38.5);  // h = 2.85: 30 + 0.85 · 10
  EXPECT_DOUBLE_EQ(percentile(std::vector{3.0}, 95), 3.0);
}

TEST(Statistics, StandardDeviationDividesByOneLess) {
  // Mean 5; squared deviations 9 1 1 1 0 0 4 16 add up to 32; sqrt(32 / 7).
  EXPECT_DOUBLE_EQ(standard_deviation(std::vector{2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}), std::sqrt(32.0 / 7.0));
}

TEST(Statistics, StandardDeviationSurvivesALargeCommonOffset) {
  // Deviations −1, 0, 1: sqrt(2 / 2) = 1. The squares of 1e9 would swallow them.
  EXPECT_DOUBLE_EQ(standard_deviation(std::vector{1e9 - 1, 1e9, 1e9 + 1}), 1.0);
}

TEST(Statistics, MedianAbsoluteDeviation) {
  // Median 2; deviations 1 1 0 0 2 4 7, sorted 0 0 1 1 2 4 7: middle 1.
  EXPECT_DOUBLE_EQ(median_absolute_deviation(std::vector{1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0}), 1.0);
}

std::vector<double> one_to(int n) {
  std::vector<double> samples(static_cast<std::size_t>(n));
  std::iota(samples.begin(), samples.end(), 1.0);
  return samples;
}

TEST(MedianInterval, SixSamplesNeedTheirWholeRange) {
  // P(B(6, ½) = 0) = 1/64: coverage of [x(1), x(6)] is 1 − 2/64; of [x(2), x(5)] 1 − 2 · 7/64 = 0.78.
  const Interval interval = median_interval(one_to(6));
  EXPECT_DOUBLE_EQ(interval.low, 1.0);
  EXPECT_DOUBLE_EQ(interval.high, 6.0);
  EXPECT_NEAR(interval.confidence, 1.0 - 2.0 / 64, 1e-12);
}

TEST(MedianInterval, FewerThanSixSamplesSayTheirLowerConfidence) {
  const Interval five = median_interval(one_to(5));
  EXPECT_DOUBLE_EQ(five.low, 1.0);
  EXPECT_DOUBLE_EQ(five.high, 5.0);
  EXPECT_NEAR(five.confidence, 0.9375, 1e-12);                     // 1 − 2/32
  EXPECT_NEAR(median_interval(one_to(1)).confidence, 0.0, 1e-12);  // 1 − 2/2
}

TEST(MedianInterval, TenAndTwentySamplesAreTheTablesOnes) {
  // n = 10: P(B < 2) = 11/1024, coverage 0.9785; P(B < 3) = 56/1024 would leave 0.8906. So k = 2: [2, 9].
  const Interval ten = median_interval(one_to(10));
  EXPECT_DOUBLE_EQ(ten.low, 2.0);
  EXPECT_DOUBLE_EQ(ten.high, 9.0);
  EXPECT_NEAR(ten.confidence, 1.0 - 22.0 / 1024, 1e-12);
  // n = 20: P(B < 6) = 21700/1048576 = 0.0207, coverage 0.9586. So k = 6: [6, 15].
  const Interval twenty = median_interval(one_to(20));
  EXPECT_DOUBLE_EQ(twenty.low, 6.0);
  EXPECT_DOUBLE_EQ(twenty.high, 15.0);
  EXPECT_NEAR(twenty.confidence, 1.0 - 2.0 * 21700 / 1048576, 1e-12);
}

TEST(MedianInterval, ThousandsOfSamplesDoNotUnderflow) {
  // Normal approximation: n/2 ± 1.96 · sqrt(n)/2 = 2500 ± 69.3.
  const Interval interval = median_interval(one_to(5000));
  EXPECT_NEAR(interval.low, 2500 - 69.3, 2.0);
  EXPECT_NEAR(interval.high, 2501 + 69.3, 2.0);
  EXPECT_GE(interval.confidence, 0.95);
}

TEST(MedianDifference, IsExactForConstantSamples) {
  const std::vector before(10, 3.0);
  const std::vector after(10, 5.0);
  const MedianDifference result = median_difference(before, after);
  EXPECT_DOUBLE_EQ(result.difference, 2.0);
  EXPECT_DOUBLE_EQ(result.interval.low, 2.0);
  EXPECT_DOUBLE_EQ(result.interval.high, 2.0);
}

TEST(MedianDifference, IntervalHoldsZeroForEqualSidesAndNotForDistantOnes) {
  const MedianDifference same = median_difference(one_to(20), one_to(20));
  EXPECT_LT(same.interval.low, 0.0);
  EXPECT_GT(same.interval.high, 0.0);
  // Each side's median has an interval of about [6, 15] (above); a shift of 100 is far outside.
  std::vector<double> shifted = one_to(20);
  for (double& x : shifted) x += 100.0;
  const MedianDifference apart = median_difference(one_to(20), shifted);
  EXPECT_DOUBLE_EQ(apart.difference, 100.0);
  EXPECT_GT(apart.interval.low, 80.0);
  EXPECT_LT(apart.interval.high, 120.0);
  EXPECT_LT(apart.interval.low, apart.interval.high);
}

TEST(MedianDifference, EqualInputGivesEqualIntervals) {
  const auto first = median_difference(one_to(15), one_to(30));
  const auto second = median_difference(one_to(15), one_to(30));
  EXPECT_EQ(first.interval.low, second.interval.low);
  EXPECT_EQ(first.interval.high, second.interval.high);
}

TEST(Statistics, RefusesTooFewSamples) {
  const std::vector<double> none;
  EXPECT_THROW(median(none), Error);
  EXPECT_THROW(percentile(none, 50), Error);
  EXPECT_THROW(median_interval(none), Error);
  EXPECT_THROW(median_absolute_deviation(none), Error);
  EXPECT_THROW(median_difference(none, one_to(3)), Error);
  EXPECT_THROW(standard_deviation(one_to(1)), Error);
}

}  // namespace
}  // namespace dachlast
