#include "ui/paint/figure_painter.h"

#include <gtest/gtest.h>

#include <QImage>
#include <QPalette>

#include "core/figure/palette.h"

namespace dachlast::ui {
namespace {

using figure::Figure;
using figure::Role;

Figure with(figure::Primitive primitive) {
  return {"f", {40.0, 20.0}, "title", "description", {std::move(primitive)}};
}

QColor at(const Figure& figure, int x, int y, Theme theme = Theme::kLight) {
  return image_of(figure, theme, 1.0).pixelColor(x, y);
}

TEST(FigurePainter, ImagesHaveTheFiguresSizeTimesTheScale) {
  EXPECT_EQ(image_of(with(figure::Line{}), Theme::kLight, 2.0).size(), QSize(80, 40));
}

TEST(FigurePainter, ARectFillsItsBoxInItsRolesColour) {
  const Figure figure = with(figure::Rect{{10, 5, 20, 10}, Role::kMemory});
  EXPECT_EQ(at(figure, 20, 10), colour(Role::kMemory, Theme::kLight));
  EXPECT_EQ(at(figure, 5, 10), colour(Role::kSurface, Theme::kLight));
  EXPECT_EQ(at(figure, 20, 10, Theme::kDark), colour(Role::kMemory, Theme::kDark));
  EXPECT_EQ(at(figure, 5, 10, Theme::kDark), colour(Role::kSurface, Theme::kDark));
}

TEST(FigurePainter, MarkersAreFilledOrHollow) {
  const auto marker = [](figure::MarkerFill fill) {
    return with(figure::Marker{{20, 10}, 12.0, figure::MarkerShape::kCircle, fill, Role::kSeries1});
  };
  EXPECT_EQ(at(marker(figure::MarkerFill::kFilled), 20, 10), colour(Role::kSeries1, Theme::kLight));
  EXPECT_EQ(at(marker(figure::MarkerFill::kHollow), 20, 10), colour(Role::kSurface, Theme::kLight));
}

TEST(FigurePainter, HatchesDifferFromThePlainTint) {
  const auto rect = [](figure::Hatch hatch) { return with(figure::Rect{{0, 0, 40, 20}, Role::kCompute, 0.2, hatch}); };
  const QImage plain = image_of(rect(figure::Hatch::kNone), Theme::kLight, 1.0);
  for (const auto hatch : {figure::Hatch::kForward, figure::Hatch::kBackward, figure::Hatch::kDots})
    EXPECT_NE(image_of(rect(hatch), Theme::kLight, 1.0), plain);
  EXPECT_NE(image_of(rect(figure::Hatch::kForward), Theme::kLight, 1.0),
            image_of(rect(figure::Hatch::kBackward), Theme::kLight, 1.0));
}

TEST(FigurePainter, AnchorsPutTextOnItsSideOfThePoint) {
  const auto ink_left_of_middle = [](figure::Anchor anchor) {
    const QImage image =
        image_of(with(figure::Text{.at = {20, 14}, .text = "xx", .anchor = anchor}), Theme::kLight, 1.0);
    for (int y = 0; y < image.height(); ++y)
      for (int x = 0; x < 18; ++x)
        if (image.pixelColor(x, y) != colour(Role::kSurface, Theme::kLight)) return true;
    return false;
  };
  EXPECT_FALSE(ink_left_of_middle(figure::Anchor::kStart));
  EXPECT_TRUE(ink_left_of_middle(figure::Anchor::kEnd));
}

TEST(Theme, FollowsThePalette) {
  EXPECT_EQ(theme_of(palette_of(Theme::kLight)), Theme::kLight);
  EXPECT_EQ(theme_of(palette_of(Theme::kDark)), Theme::kDark);
}

TEST(Theme, TextReachesTheContrastOfWcag) {
  const auto rgb = [](const QColor& c) {
    return figure::Rgb{static_cast<std::uint8_t>(c.red()), static_cast<std::uint8_t>(c.green()),
                       static_cast<std::uint8_t>(c.blue())};
  };
  for (const Theme theme : {Theme::kLight, Theme::kDark}) {
    const QPalette palette = palette_of(theme);
    const auto contrast = [&](QPalette::ColorRole one, QPalette::ColorRole other) {
      return figure::contrast(rgb(palette.color(one)), rgb(palette.color(other)));
    };
    EXPECT_GE(contrast(QPalette::WindowText, QPalette::Window), 4.5);
    EXPECT_GE(contrast(QPalette::Text, QPalette::Base), 4.5);
    EXPECT_GE(contrast(QPalette::Text, QPalette::AlternateBase), 4.5);
    EXPECT_GE(contrast(QPalette::ButtonText, QPalette::Button), 4.5);
    EXPECT_GE(contrast(QPalette::HighlightedText, QPalette::Highlight), 4.5);
    EXPECT_GE(contrast(QPalette::ToolTipText, QPalette::ToolTipBase), 4.5);
    EXPECT_GE(contrast(QPalette::PlaceholderText, QPalette::Base), 4.5);
    EXPECT_GE(contrast(QPalette::Text, QPalette::Window), 4.5);
    EXPECT_GE(contrast(QPalette::Link, QPalette::Base), 4.5);
    EXPECT_GE(contrast(QPalette::Link, QPalette::Window), 4.5);
    const auto disabled = rgb(palette.color(QPalette::Disabled, QPalette::Text));
    for (const auto ground : {QPalette::Window, QPalette::Base, QPalette::Button})
      EXPECT_GE(figure::contrast(disabled, rgb(palette.color(ground))), 4.5);
    // WCAG 2.1, 1.4.11: what marks focus and selection, 3:1.
    for (const auto ground : {QPalette::Window, QPalette::Base, QPalette::AlternateBase})
      EXPECT_GE(contrast(QPalette::Highlight, ground), 3.0);
  }
}

}  // namespace
}  // namespace dachlast::ui
