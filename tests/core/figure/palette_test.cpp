#include "core/figure/palette.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace dachlast::figure {
namespace {

struct Theme {
  const char* name;
  Rgb PaletteEntry::*colours;
};

class Palette : public testing::TestWithParam<Theme> {
 protected:
  Rgb colour(Role role) const { return palette_entry(role).*(GetParam().colours); }
  double on_surface(Role role) const { return contrast(colour(role), colour(Role::kSurface)); }
};

TEST(Contrast, BlackOnWhiteIsTwentyOne) {
  EXPECT_NEAR(contrast({0, 0, 0}, {255, 255, 255}), 21.0, 1e-9);  // (1 + 0.05) / (0 + 0.05)
  EXPECT_NEAR(contrast({255, 255, 255}, {0, 0, 0}), 21.0, 1e-9);
}

TEST(PaletteRows, StandInTheOrderOfTheirRoles) {
  for (int i = 0; i < kRoleCount; ++i) EXPECT_EQ(static_cast<int>(palette()[i].role), i);
}

// Roofs and bands are named in their own colour, so memory and compute are text too.
TEST_P(Palette, TextReachesFourAndAHalf) {
  for (const Role role : {Role::kText, Role::kMuted, Role::kMemory, Role::kCompute})
    EXPECT_GE(on_surface(role), 4.5) << palette_entry(role).name;
}

TEST_P(Palette, GraphicsReachThree) {
  for (int i = static_cast<int>(Role::kAxis); i < kRoleCount; ++i)
    EXPECT_GE(on_surface(static_cast<Role>(i)), 3.0) << palette()[i].name;
}

// Bars carry their share in the surface colour.
TEST_P(Palette, SeriesCarryText) {
  for (int i = static_cast<int>(Role::kSeries1); i < kRoleCount; ++i)
    EXPECT_GE(on_surface(static_cast<Role>(i)), 4.5) << palette()[i].name;
}

TEST_P(Palette, SeriesDifferFromEachOther) {
  for (int a = static_cast<int>(Role::kSeries1); a < kRoleCount; ++a)
    for (int b = a + 1; b < kRoleCount; ++b) {
      const Rgb one = colour(static_cast<Role>(a));
      const Rgb other = colour(static_cast<Role>(b));
      EXPECT_GT(std::abs(one.r - other.r) + std::abs(one.g - other.g) + std::abs(one.b - other.b), 40)
          << palette()[a].name << " and " << palette()[b].name;
    }
}

INSTANTIATE_TEST_SUITE_P(Themes, Palette,
                         testing::Values(Theme{"light", &PaletteEntry::light}, Theme{"dark", &PaletteEntry::dark}),
                         [](const auto& theme) { return theme.param.name; });

}  // namespace
}  // namespace dachlast::figure
