#include "core/figure/clip.h"

#include <gtest/gtest.h>

namespace dachlast::figure {
namespace {

constexpr Box kBox{0.0, 0.0, 10.0, 10.0};

TEST(Clip, ALineIsCutWhereItCrossesTheBox) {
  // The diagonal from (−5, −5) to (5, 5) enters at the corner (0, 0).
  const auto line = clipped(Line{{-5.0, -5.0}, {5.0, 5.0}, {}}, kBox);
  ASSERT_TRUE(line);
  EXPECT_DOUBLE_EQ(line->from.x, 0.0);
  EXPECT_DOUBLE_EQ(line->from.y, 0.0);
  EXPECT_DOUBLE_EQ(line->to.x, 5.0);
}

TEST(Clip, ALineBesideTheBoxIsGone) {
  EXPECT_FALSE(clipped(Line{{-5.0, 3.0}, {-1.0, 3.0}, {}}, kBox));
  EXPECT_FALSE(clipped(Line{{-6.0, 2.0}, {2.0, -6.0}, {}}, kBox));  // crosses both axes outside: x + y = −4
}

TEST(Clip, AnOutlineAroundTheBoxBecomesTheBox) {
  const auto kept = clipped({{-5.0, -5.0}, {20.0, -5.0}, {20.0, 20.0}, {-5.0, 20.0}}, kBox);
  ASSERT_EQ(kept.size(), 4u);
  for (const Point& p : kept) {
    EXPECT_TRUE(p.x == 0.0 || p.x == 10.0);
    EXPECT_TRUE(p.y == 0.0 || p.y == 10.0);
  }
}

TEST(Clip, AnOutlineBesideTheBoxIsGone) {
  EXPECT_TRUE(clipped({{20.0, 0.0}, {30.0, 0.0}, {30.0, 5.0}}, kBox).empty());
}

}  // namespace
}  // namespace dachlast::figure
