#include "core/planner/expert_load.h"

#include <gtest/gtest.h>

#include <cmath>

namespace dachlast {
namespace {

TEST(ExpertLoad, LargestDeviateOfOneIsNoneAndOfEightIsTheTabledOne) {
  EXPECT_DOUBLE_EQ(largest_deviate(1.0), 0.0);
  // Expected largest of 8 normal deviates: 1.4236 (Harter 1961, table 1); Blom's quantile is within a hundredth.
  EXPECT_NEAR(largest_deviate(8.0), 1.4236, 0.02);
  EXPECT_NEAR(largest_deviate(2.0), 1.0 / std::sqrt(std::acos(-1.0)), 0.03);  // exact: 1 / √π
}

TEST(ExpertLoad, OneTokenTouchesAsManyExpertsAsItTakes) {
  // On one rank nothing is spread: the mean over popular and rare experts is 8 of 256.
  EXPECT_NEAR(touched_experts({.tokens = 1, .n_experts = 256, .active = 8, .ranks = 1}), 8.0, 1e-9);
}

TEST(ExpertLoad, ManyTokensTouchAllExperts) {
  EXPECT_NEAR(touched_experts({.tokens = 1e6, .n_experts = 128, .active = 4, .ranks = 4}), 32.0, 1e-6);
}

TEST(ExpertLoad, PopularExpertsLeaveMoreOfTheOthersAlone) {
  // Were all alike, 16 tokens of 4 would touch 128 · (1 − (31/32)^16) = 51.0 of 128.
  const double touched = touched_experts({.tokens = 16, .n_experts = 128, .active = 4, .ranks = 1});
  EXPECT_LT(touched, 51.0);
  EXPECT_GT(touched, 40.0);
}

TEST(ExpertLoad, TheBusiestRankHasMoreThanTheMean) {
  const ExpertTraffic traffic{.tokens = 4, .n_experts = 256, .active = 8, .ranks = 8};
  // 32 experts a rank, of which 3.7 are touched on average with a spread of about 1.8: 3.7 + 1.42 · 1.8 = 6.3
  EXPECT_NEAR(touched_experts(traffic), 6.3, 0.3);
  // 4 · 8 / 8 pairs, and 1.42 · sqrt(32 · 1/8 · 7/8) = 2.66 on top
  EXPECT_NEAR(expert_rows(traffic), 4.0 + 2.66, 0.05);
  EXPECT_DOUBLE_EQ(expert_rows({.tokens = 4, .n_experts = 256, .active = 8, .ranks = 1}), 32.0);
}

}  // namespace
}  // namespace dachlast
