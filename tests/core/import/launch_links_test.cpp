#include "core/import/launch_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/import/step_ranges.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;

// Thread 1: outer 0…100 around first 10…20 and second 30…60, which is around inner 40…50. Thread 2: other 0…100.
const std::vector<HostRange> kRanges = {{1, 40, 50}, {2, 0, 100}, {1, 30, 60}, {1, 0, 100}, {1, 10, 20}};

std::vector<HostRange> nested() {
  std::vector<HostRange> ordered;
  for (const std::uint32_t index : nesting_order(kRanges)) ordered.push_back(kRanges[index]);
  return ordered;
}

TEST(LaunchLinks, OuterRangesStandBeforeInnerOnes) {
  EXPECT_THAT(nesting_order(kRanges), ElementsAre(3U, 4U, 2U, 0U, 1U));
  EXPECT_THAT(parents_of(nested()), ElementsAre(kNoIndex, 0, 0, 2, kNoIndex));
}

TEST(LaunchLinks, FindsTheInnermostRange) {
  const std::vector<HostRange> ordered = nested();
  const std::vector<std::int32_t> parents = parents_of(ordered);
  const RangeFinder finder(ordered, parents);
  EXPECT_EQ(finder.innermost(1, 45), 3);
  EXPECT_EQ(finder.innermost(1, 55), 2);
  EXPECT_EQ(finder.innermost(1, 25), 0);  // between two inner ones
  EXPECT_EQ(finder.innermost(1, 101), kNoIndex);
  EXPECT_EQ(finder.innermost(2, 45), 4);
  EXPECT_EQ(finder.innermost(3, 45), kNoIndex);
  EXPECT_EQ(finder.innermost(0, 45), kNoIndex);
}

TEST(StepRanges, AStepInsideAnotherIsPartOfIt) {
  StepRanges steps;
  steps.add({.name = "short name"}, {1, 10, 90});
  steps.add({.name = "long name"}, {1, 0, 100});
  steps.add({.name = "next"}, {1, 200, 300});
  steps.finish();
  ASSERT_EQ(steps.steps().size(), 2U);
  EXPECT_EQ(steps.steps()[0].name, "long name");
  EXPECT_EQ(steps.around(1, 50), 0);
  EXPECT_EQ(steps.around(1, 150), kNoIndex);
  EXPECT_EQ(steps.around(1, 250), 1);
}

}  // namespace
}  // namespace dachlast
