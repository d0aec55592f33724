#include "core/collect/cupti/sample_clock.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(SampleClock, TheTruthLiesBetweenTheBounds) {
  SampleClock clock;
  clock.not_before(1000, 5000);  // ahead by 4,000 at least
  clock.not_after(1000, 5600);   // and by 4,600 at most
  clock.finish();
  const auto moment = clock.monotonic(1000);
  ASSERT_TRUE(moment);
  EXPECT_EQ(moment->at_ns, 5300);  // 1000 + (4000 + 4600) / 2
  EXPECT_EQ(moment->uncertainty_ns, 300);
}

TEST(SampleClock, TheTightestBoundCountsWhateverTheOrder) {
  SampleClock clock;
  clock.not_after(3000, 9000);  // 6,000
  clock.not_after(1000, 5600);  // 4,600: the better one
  clock.not_before(1000, 5000);
  clock.finish();
  const auto moment = clock.monotonic(3000);
  ASSERT_TRUE(moment);
  // Loosened over 2,000 ns by 0.2, which is rounded up to 1: between 3999 and 4601.
  EXPECT_EQ(moment->at_ns, 7300);
  EXPECT_EQ(moment->uncertainty_ns, 301);
}

TEST(SampleClock, BoundsLoosenWithTime) {
  SampleClock clock;
  clock.not_before(0, 0);
  clock.not_after(0, 0);
  clock.finish();
  EXPECT_EQ(clock.monotonic(0)->uncertainty_ns, 0);
  EXPECT_EQ(clock.monotonic(10 * kSecond)->uncertainty_ns, 1'000'000);  // 100 parts in a million of 10 s
  EXPECT_EQ(clock.monotonic(10 * kSecond)->at_ns, 10 * kSecond);
}

TEST(SampleClock, KeepsNanosecondsOfClocksThatCountFrom1970) {
  constexpr std::int64_t kNow = 1'790'000'000 * kSecond;
  SampleClock clock;
  clock.not_before(7, kNow + 7);
  clock.not_after(7, kNow + 9);
  clock.finish();
  EXPECT_EQ(clock.monotonic(7)->at_ns, kNow + 8);
  EXPECT_EQ(clock.monotonic(7)->uncertainty_ns, 1);
}

TEST(SampleClock, ContradictionsAndMissingSidesPlaceNothing) {
  SampleClock one_sided;
  one_sided.not_before(0, 0);
  one_sided.finish();
  EXPECT_FALSE(one_sided.monotonic(0));
  SampleClock ticks;  // counts at half the speed of a nanosecond
  ticks.not_before(0, 0);
  ticks.not_after(10 * kSecond, 5 * kSecond);
  ticks.finish();
  EXPECT_FALSE(ticks.monotonic(10 * kSecond));
  EXPECT_FALSE(ticks.monotonic(0));
}

}  // namespace
}  // namespace dachlast
