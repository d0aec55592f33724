#include "tests/support/text_boxes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/figure/labels.h"
#include "core/figure/palette.h"

namespace dachlast::test {
namespace {

using figure::Point;
using figure::Text;

// Letters of common fonts reach 0.75 em above the baseline and 0.2 em below it.
constexpr double kAscent = 0.75;
constexpr double kDescent = 0.2;

using Quad = std::array<Point, 4>;

Quad quad_of(const Text& text) {
  const double width = figure::text_width(text.text, text.size);
  const double left = text.anchor == figure::Anchor::kStart ? 0.0
                      : text.anchor == figure::Anchor::kEnd ? -width
                                                            : -width / 2;
  const double angle = text.rotation_deg * std::numbers::pi / 180.0;
  const auto turned = [&](double x, double y) {
    return Point{text.at.x + x * std::cos(angle) - y * std::sin(angle),
                 text.at.y + x * std::sin(angle) + y * std::cos(angle)};
  };
  const double top = -kAscent * text.size;
  const double bottom = kDescent * text.size;
  return {turned(left, top), turned(left + width, top), turned(left + width, bottom), turned(left, bottom)};
}

figure::Interval shadow(const Quad& quad, Point axis) {
  figure::Interval range{HUGE_VAL, -HUGE_VAL};
  for (const Point& corner : quad) {
    const double along = corner.x * axis.x + corner.y * axis.y;
    range = {std::min(range.lo, along), std::max(range.hi, along)};
  }
  return range;
}

/// Two convex shapes lie apart where their shadows do on the normal of one of their sides.
bool overlap(const Quad& one, const Quad& other) {
  for (const Quad* quad : {&one, &other})
    for (std::size_t i = 0; i < quad->size(); ++i) {
      const Point& from = (*quad)[i];
      const Point& to = (*quad)[(i + 1) % quad->size()];
      const Point normal{from.y - to.y, to.x - from.x};
      const figure::Interval a = shadow(one, normal);
      const figure::Interval b = shadow(other, normal);
      if (a.hi <= b.lo || b.hi <= a.lo) return false;
    }
  return true;
}

std::vector<const Text*> texts_of(const figure::Figure& figure) {
  std::vector<const Text*> texts;
  for (const auto& primitive : figure.primitives)
    if (const auto* text = std::get_if<Text>(&primitive); text != nullptr && !text->text.empty()) texts.push_back(text);
  return texts;
}

bool inside(const std::vector<Point>& outline, Point p) {
  bool odd = false;
  for (std::size_t i = 0, j = outline.size() - 1; i < outline.size(); j = i++) {
    const Point& a = outline[i];
    const Point& b = outline[j];
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) odd = !odd;
  }
  return odd;
}

/// Ink of some opacity on a ground.
figure::Rgb laid_on(figure::Rgb ground, figure::Rgb ink, double opacity) {
  const auto mix = [&](std::uint8_t below, std::uint8_t above) {
    return static_cast<std::uint8_t>(std::lround((1.0 - opacity) * below + opacity * above));
  };
  return {mix(ground.r, ink.r), mix(ground.g, ink.g), mix(ground.b, ink.b)};
}

using Colours = figure::Rgb figure::PaletteEntry::*;

/// What the fills drawn before a text leave below its middle.
figure::Rgb ground_of(const figure::Figure& figure, const Text& text, Colours colours) {
  figure::Rgb ground = figure::palette_entry(figure::Role::kSurface).*colours;
  if (text.halo == figure::Halo::kSurface) return ground;
  const Quad quad = quad_of(text);
  const Point middle{(quad[0].x + quad[2].x) / 2, (quad[0].y + quad[2].y) / 2};
  for (const auto& primitive : figure.primitives) {
    if (std::get_if<Text>(&primitive) == &text) break;
    if (const auto* rect = std::get_if<figure::Rect>(&primitive); rect != nullptr && rect->box.contains(middle))
      ground = laid_on(ground, figure::palette_entry(rect->role).*colours, rect->opacity);
    if (const auto* area = std::get_if<figure::Area>(&primitive); area != nullptr && inside(area->outline, middle))
      ground = laid_on(ground, figure::palette_entry(area->role).*colours, area->opacity);
  }
  return ground;
}

}  // namespace

std::vector<std::string> pale_texts(const figure::Figure& figure) {
  constexpr double kLeast = 4.5;
  std::vector<std::string> found;
  for (const Colours colours : {&figure::PaletteEntry::light, &figure::PaletteEntry::dark})
    for (const Text* text : texts_of(figure)) {
      const double ratio =
          figure::contrast(figure::palette_entry(text->role).*colours, ground_of(figure, *text, colours));
      if (ratio < kLeast) found.push_back(fmt::format("{} {:.2f}", text->text, ratio));
    }
  return found;
}

std::vector<std::string> overlapping_texts(const figure::Figure& figure) {
  const std::vector<const Text*> texts = texts_of(figure);
  std::vector<std::string> found;
  for (std::size_t i = 0; i < texts.size(); ++i)
    for (std::size_t j = i + 1; j < texts.size(); ++j)
      if (overlap(quad_of(*texts[i]), quad_of(*texts[j]))) found.push_back(texts[i]->text + " | " + texts[j]->text);
  return found;
}

std::vector<std::string> cut_texts(const figure::Figure& figure) {
  std::vector<std::string> found;
  for (const Text* text : texts_of(figure))
    for (const Point& corner : quad_of(*text))
      if (corner.x < -0.5 || corner.x > figure.size.width + 0.5) {
        found.push_back(text->text);
        break;
      }
  return found;
}

}  // namespace dachlast::test
