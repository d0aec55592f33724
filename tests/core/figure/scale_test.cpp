#include "core/figure/scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"

namespace dachlast::figure {
namespace {

std::vector<double> majors(const Scale& scale, int target) {
  std::vector<double> values;
  for (const Tick& tick : scale.ticks(target))
    if (tick.major) values.push_back(tick.value);
  return values;
}

TEST(LinearScale, MapsEndsAndMiddle) {
  const Scale scale = Scale::linear({10.0, 30.0}, 100.0, 0.0);  // drawn upwards
  EXPECT_DOUBLE_EQ(scale.position(10.0), 100.0);
  EXPECT_DOUBLE_EQ(scale.position(20.0), 50.0);
  EXPECT_DOUBLE_EQ(scale.value(50.0), 20.0);
}

TEST(LogScale, ADecadeIsAlwaysEquallyWide) {
  const Scale scale = Scale::log({0.1, 1000.0}, 0.0, 400.0);  // four decades
  EXPECT_NEAR(scale.position(1.0), 100.0, 1e-9);
  EXPECT_NEAR(scale.position(10.0), 200.0, 1e-9);
  EXPECT_NEAR(scale.value(300.0), 100.0, 1e-9);
}

TEST(LinearScale, TicksAreOneTwoFiveAtEveryZoom) {
  EXPECT_THAT(majors(Scale::linear({0.0, 1.0}, 0, 1), 5),
              testing::Pointwise(testing::DoubleEq(), {0., .2, .4, .6, .8, 1.}));
  EXPECT_THAT(majors(Scale::linear({8.0, 208.0}, 0, 1), 4), testing::ElementsAre(50.0, 100.0, 150.0, 200.0));
  for (double span = 1e-9; span < 1e12; span *= 3.7) {
    const auto ticks = majors(Scale::linear({span, 2.0 * span}, 0, 1), 6);
    ASSERT_GE(ticks.size(), 3u) << span;
    ASSERT_LE(ticks.size(), 8u) << span;
    const double step = ticks[1] - ticks[0];
    const double lead = step / std::pow(10.0, std::floor(std::log10(step) + 1e-6));
    EXPECT_TRUE(std::abs(lead - 1) < 1e-6 || std::abs(lead - 2) < 1e-6 || std::abs(lead - 5) < 1e-6) << step;
  }
}

TEST(LogScale, LabelsDecadesAndLeavesMinorTicksBare) {
  const Scale scale = Scale::log({0.1, 1e4}, 0, 1);
  EXPECT_THAT(majors(scale, 8), testing::Pointwise(testing::DoubleNear(1e-9), {.1, 1., 10., 100., 1000., 10000.}));
  EXPECT_EQ(scale.ticks(8).size(), 5u * 9u + 1u);  // nine digits a decade, and the last decade's start
}

TEST(LogScale, ThinsDecadesWhereThereAreMany) {
  EXPECT_LE(majors(Scale::log({1e-12, 1e12}, 0, 1), 6).size(), 8u);
}

TEST(LogScale, LabelsOneTwoFiveInFewDecadesAndStepsWithinOne) {
  EXPECT_THAT(majors(Scale::log({1.0, 100.0}, 0, 1), 8),
              testing::Pointwise(testing::DoubleNear(1e-9), {1., 2., 5., 10., 20., 50., 100.}));
  EXPECT_THAT(majors(Scale::log({2.0, 3.0}, 0, 1), 5),
              testing::Pointwise(testing::DoubleNear(1e-9), {2., 2.2, 2.4, 2.6, 2.8, 3.}));
}

TEST(WholeDecades, KeepDecadesThatAreAlreadyWhole) {
  EXPECT_DOUBLE_EQ(whole_decades({1.0, 1000.0}).hi, 1000.0);
  EXPECT_DOUBLE_EQ(whole_decades({0.02, 1001.0}).lo, 0.01);
  EXPECT_DOUBLE_EQ(whole_decades({0.02, 1001.0}).hi, 10000.0);
}

TEST(Scale, RefusesDomainsWithoutExtent) {
  EXPECT_THROW(Scale::linear({1.0, 1.0}, 0, 1), Error);
  EXPECT_THROW(Scale::log({0.0, 1.0}, 0, 1), Error);
  EXPECT_THROW(Scale::linear({0.0, INFINITY}, 0, 1), Error);
}

}  // namespace
}  // namespace dachlast::figure
