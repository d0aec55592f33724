#include "core/base/units.h"

#include <gtest/gtest.h>

#include <concepts>

namespace dachlast {
namespace {

template <class A, class B>
concept Divisible = requires(A a, B b) {
  a / b;
};

TEST(Units, WorkOverTrafficIsIntensity) {
  static_assert(std::same_as<decltype(Flops{8.0} / Bytes{2.0}), Intensity>);
  EXPECT_DOUBLE_EQ((Flops{8.0} / Bytes{2.0}).value, 4.0);
}

TEST(Units, DivisionsWithoutAMeaningDoNotCompile) {
  static_assert(!Divisible<Bytes, Flops>);
  static_assert(!Divisible<Seconds, Bytes>);
  static_assert(Divisible<Bytes, Seconds>);
  SUCCEED();
}

TEST(Units, RidgePointTimesBandwidthIsThePeak) {
  const FlopsPerSecond peak{100e12};
  const BytesPerSecond bandwidth{2e12};
  EXPECT_DOUBLE_EQ((peak / bandwidth).value, 50.0);
  EXPECT_DOUBLE_EQ(((peak / bandwidth) * bandwidth).value, peak.value);
}

}  // namespace
}  // namespace dachlast
