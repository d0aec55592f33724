#include "core/base/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace dachlast {
namespace {

TEST(BF16, RoundsToNearestEven) {
  EXPECT_EQ(to_bf16(1.0f).bits, 0x3f80);
  // 1 + 2^-8 lies half way between 0x3f80 and 0x3f81: the even one wins; one ulp of float above it, the upper one.
  EXPECT_EQ(to_bf16(1.0f + 0x1p-8f).bits, 0x3f80);
  EXPECT_EQ(to_bf16(std::nextafter(1.0f + 0x1p-8f, 2.0f)).bits, 0x3f81);
  EXPECT_EQ(to_bf16(1.0f + 3 * 0x1p-8f).bits, 0x3f82);
}

TEST(BF16, EveryFiniteValueSurvivesTheRoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const BF16 x{static_cast<std::uint16_t>(bits)};
    if (std::isnan(to_float(x))) {
      EXPECT_TRUE(std::isnan(to_float(to_bf16(to_float(x)))));
    } else {
      EXPECT_EQ(to_bf16(to_float(x)).bits, x.bits);
    }
  }
}

TEST(F16, KnownValues) {
  EXPECT_EQ(to_float(F16{0x3c00}), 1.0f);
  EXPECT_EQ(to_float(F16{0xc000}), -2.0f);
  EXPECT_EQ(to_float(F16{0x7bff}), 65504.0f);
  EXPECT_EQ(to_float(F16{0x0001}), 0x1p-24f);  // smallest subnormal
  EXPECT_EQ(to_float(F16{0x03ff}), 1023 * 0x1p-24f);
  EXPECT_EQ(to_float(F16{0x7c00}), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(to_float(F16{0x7e00})));
  EXPECT_TRUE(std::signbit(to_float(F16{0x8000})));
}

}  // namespace
}  // namespace dachlast
