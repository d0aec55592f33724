#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/figure/figure.h"

namespace dachlast::figure {

/// Columns a text takes on screen: combining marks none, East Asian wide characters and emoji two, the rest one.
int display_width(std::string_view utf8);

/// Estimated width of a text in figure units. Renderers use fonts we do not know; this leans to the wide side.
double text_width(std::string_view utf8, double font_size);

/// A label wanted beside a marker.
struct LabelRequest {
  Point at;             // centre of the marker
  double radius = 4.0;  // of the marker
  std::string text;
  double size = 12.0;
  double weight = 1.0;  // larger ones are placed first
};

struct PlacedLabel {
  Point at;  // baseline
  Anchor anchor = Anchor::kStart;
  Box box;
  std::optional<Line> leader;  // to the marker, where the label had to move away from it
};

/// Places labels beside their markers, heaviest first, so that no label meets another label, a marker or an obstacle
/// and all stay inside `frame`. Result i belongs to request i; empty where no free place is left.
std::vector<std::optional<PlacedLabel>> place_labels(std::span<const LabelRequest> requests, const Box& frame,
                                                     std::span<const Box> obstacles);

}  // namespace dachlast::figure
