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

/// How texts read once they are shown. A figure is laid out in English and said in the reader's language afterwards, by whoever
/// shows it: what stands beside a text has to know how long it will be then.
class Wording {
 public:
  virtual ~Wording() = default;
  virtual std::string said(std::string_view english) const = 0;
};

/// Estimated width of a text in figure units. Renderers use fonts we do not know; this leans to the wide side.
double text_width(std::string_view utf8, double font_size);
/// The same of what a reader will see; `wording` may be nullptr.
double text_width(std::string_view english, double font_size, const Wording* wording);

/// A label wanted beside a marker.
struct LabelRequest {
  Point at;             // centre of the marker
  double radius = 4.0;  // of the marker
  std::string text;
  double size = 12.0;
  double weight = 1.0;  // larger ones are placed first
  Weight face = Weight::kRegular;
};

struct PlacedLabel {
  Point at;  // baseline
  Anchor anchor = Anchor::kStart;
  Box box;
  std::optional<Line> leader;  // to the marker, where the label had to move away from it
};

/// Where labels may lie.
struct LabelRoom {
  Box frame;
  std::vector<Box> obstacles = {};   // never met
  std::vector<Box> avoided = {};     // met only where there is no other place: lines
  const Wording* wording = nullptr;  // that labels will be read in
};

/// Places labels beside their markers, heaviest first, so that no label meets another label, a marker or an obstacle
/// and all stay inside the frame. Result i belongs to request i; empty where no free place is left.
std::vector<std::optional<PlacedLabel>> place_labels(std::span<const LabelRequest> requests, const LabelRoom& room);

}  // namespace dachlast::figure
