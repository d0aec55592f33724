#include "core/engine/measure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>

#include "core/base/statistics.h"

namespace dachlast {
namespace {

/// Steps that take the listed times, the last of them for ever.
TimedStep scripted(std::vector<double> times_s) {
  return [times_s, next = std::size_t{0}]() mutable { return times_s[std::min(next++, times_s.size() - 1)]; };
}

/// Alternates between two times.
TimedStep alternating(double a, double b) {
  return [a, b, n = 0]() mutable { return n++ % 2 == 0 ? a : b; };
}

TEST(WarmUp, EndsWhenTwoWindowsAgree) {
  // Windows of three 0.1 s steps (above the 20 ms floor). Medians 0.5, 0.3, 0.2, 0.2: the fourth agrees with the third.
  const auto samples = warm_up(scripted({0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.2}), StopRule{.max_warmup_s = 100.0});
  EXPECT_EQ(samples.size(), 12u);
}

TEST(WarmUp, OneSlowStepDoesNotMoveAWindow) {
  // Medians 0.2 and 0.2 in spite of the 0.9.
  EXPECT_EQ(warm_up(scripted({0.2, 0.9, 0.2, 0.2}), StopRule{}).size(), 6u);
}

TEST(WarmUp, WindowsOfShortStepsLastLongEnough) {
  // 1 ms steps: 20 of them make a 20 ms window, give or take the one that rounding adds; two windows agree at once.
  const auto samples = warm_up(scripted({0.001}), StopRule{});
  EXPECT_GE(samples.size(), 40u);
  EXPECT_LE(samples.size(), 42u);
}

TEST(WarmUp, GivesUpAtItsCap) {
  // 1 s and 0.5 s windows never agree within 5 %: 3 s are reached in the second window.
  StopRule rule;
  rule.warmup_window_steps = 1;
  EXPECT_EQ(warm_up(alternating(1.0, 0.5), rule).size(), 4u);  // 1 + 0.5 + 1 + 0.5 = 3
}

TEST(WarmUp, OneStepIsEnoughWhereItTakesLongerThanTheCap) {
  EXPECT_EQ(warm_up(scripted({60.0}), StopRule{}).size(), 1u);
}

TEST(Sample, ConvergesAtTheFewestSamplesWhereStepsAreEqual) {
  const Measurement result = sample(scripted({0.01}), StopRule{});
  EXPECT_EQ(result.reason, StopReason::kConverged);
  EXPECT_EQ(result.samples_s.size(), 20u);
}

TEST(Sample, GoesOnUntilTheIntervalIsNarrow) {
  // One in eight steps is twice as long. Six samples span 0.010 to 0.020, so the interval reaches 100 % above the
  // median; it excludes the slow ones only once its upper order statistic lies below the slow eighth.
  StopRule rule;
  rule.min_repeats = 6;
  int n = 0;
  const Measurement result = sample([&] { return n++ % 8 == 3 ? 0.020 : 0.010; }, rule);
  EXPECT_EQ(result.reason, StopReason::kConverged);
  EXPECT_GT(result.samples_s.size(), 6u);
  EXPECT_LT(result.samples_s.size(), 30u);
  EXPECT_EQ(median_interval(result.samples_s).high, 0.010);
}

TEST(Sample, KeepsEverySampleInOrder) {
  const Measurement result = sample(scripted({3, 1, 2, 5, 4}), StopRule::exactly(5));
  EXPECT_EQ(result.samples_s, (std::vector<double>{3, 1, 2, 5, 4}));
  EXPECT_EQ(result.reason, StopReason::kRepeatCap);
}

TEST(Sample, StopsAtTheRepeatCap) {
  StopRule rule;
  rule.max_repeats = 50;
  const Measurement result = sample(alternating(0.01, 0.02), rule);
  EXPECT_EQ(result.reason, StopReason::kRepeatCap);
  EXPECT_EQ(result.samples_s.size(), 50u);
}

TEST(Sample, StopsAtTheTimeCapAfterTheStepThatReachesIt) {
  // 3 + 5 + 3 = 11 s
  const Measurement result = sample(alternating(3.0, 5.0), StopRule{});
  EXPECT_EQ(result.reason, StopReason::kTimeCap);
  EXPECT_EQ(result.samples_s.size(), 3u);
}

TEST(Sample, TakesOneSampleHoweverLong) {
  EXPECT_EQ(sample(scripted({3600.0}), StopRule{}).samples_s.size(), 1u);
}

TEST(Measure, KeepsWarmUpApart) {
  const Measurement result = measure(scripted({0.9, 0.1}), StopRule{});
  EXPECT_EQ(result.warmup_s.size(), 6u);  // medians 0.1 and 0.1
  EXPECT_EQ(result.warmup_s[0], 0.9);
  EXPECT_EQ(result.samples_s, std::vector<double>(20, 0.1));
}

TEST(Measure, AnInterruptKeepsWhatIsThere) {
  std::stop_source source;
  int n = 0;
  const TimedStep step = [&] {
    if (++n == 4) source.request_stop();
    return 0.1 * n;
  };
  const Measurement result = sample(step, StopRule{}, source.get_token());
  EXPECT_EQ(result.reason, StopReason::kInterrupted);
  EXPECT_EQ(result.samples_s.size(), 4u);
  const Measurement nothing = measure(step, StopRule{}, source.get_token());
  EXPECT_TRUE(nothing.warmup_s.empty());
  EXPECT_TRUE(nothing.samples_s.empty());
  EXPECT_EQ(nothing.reason, StopReason::kInterrupted);
}

}  // namespace
}  // namespace dachlast
