#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/figure/scale.h"

namespace dachlast::figure {

/// Position in the figure's own units: one unit is one CSS pixel at scale 1, x to the right, y down.
struct Point {
  double x = 0.0;
  double y = 0.0;
};

struct Box {
  double x = 0.0;
  double y = 0.0;
  double width = 0.0;
  double height = 0.0;

  constexpr double right() const { return x + width; }
  constexpr double bottom() const { return y + height; }
  constexpr bool contains(Point p) const { return p.x >= x && p.x <= right() && p.y >= y && p.y <= bottom(); }
  constexpr bool overlaps(const Box& other) const {
    return x < other.right() && other.x < right() && y < other.bottom() && other.y < bottom();
  }
};

/// What a colour stands for. Renderers look the colour up (palette.h), so that themes never touch a figure.
enum class Role : std::uint8_t {
  kSurface,
  kText,
  kMuted,  // secondary text
  kGrid,
  kAxis,
  kMemory,   // memory roofs, memory-bound
  kCompute,  // compute roofs, compute-bound
  kLatency,  // latency-bound
  kSeries1,
  kSeries2,
  kSeries3,
  kSeries4,
  kSeries5,
  kSeries6
};

inline constexpr int kRoleCount = static_cast<int>(Role::kSeries6) + 1;

enum class Dash : std::uint8_t { kSolid, kDashed, kDotted };
enum class Hatch : std::uint8_t { kNone, kForward, kBackward, kDots };
enum class MarkerShape : std::uint8_t { kCircle, kSquare };
enum class MarkerFill : std::uint8_t { kFilled, kHollow };
enum class Anchor : std::uint8_t { kStart, kMiddle, kEnd };
enum class Weight : std::uint8_t { kRegular, kBold };
enum class Halo : std::uint8_t { kNone, kSurface };  // kSurface: outlined in the surface colour, legible over lines

struct Stroke {
  Role role = Role::kAxis;
  double width = 1.0;
  Dash dash = Dash::kSolid;
};

struct Line {
  Point from;
  Point to;
  Stroke stroke;
};

struct Polyline {
  std::vector<Point> points;
  Stroke stroke;
};

/// A closed outline: a light tint, and a hatch over it so that no meaning hangs on colour alone.
struct Area {
  std::vector<Point> outline;
  Role role = Role::kGrid;
  double opacity = 1.0;
  Hatch hatch = Hatch::kNone;
};

struct Rect {
  Box box;
  Role role = Role::kSurface;
  double opacity = 1.0;
  Hatch hatch = Hatch::kNone;
};

struct Marker {
  Point at;
  double size = 8.0;  // diameter or side
  MarkerShape shape = MarkerShape::kCircle;
  MarkerFill fill = MarkerFill::kFilled;
  Role role = Role::kSeries1;
};

struct Text {
  Point at;  // on the baseline
  std::string text;
  Role role = Role::kText;
  double size = 12.0;
  Anchor anchor = Anchor::kStart;
  double rotation_deg = 0.0;  // clockwise, around `at`
  Weight weight = Weight::kRegular;
  Halo halo = Halo::kNone;
};

/// What a datum amounts to, in the base unit: what a selection of many is summed up by.
enum class AmountUnit : std::uint8_t { kSeconds, kBytes, kTokensPerSecond, kCount };
struct Amount {
  double value = 0.0;
  AmountUnit unit = AmountUnit::kCount;
};

/// Where a pointer meets a datum; `tooltip` is plain text, one fact a line. Empty where facts are made when someone asks.
struct HitBox {
  Box box;
  std::string datum;  // id of the datum, shared with the table beside the chart
  std::string tooltip;
  std::optional<Amount> amount = std::nullopt;
};

using Primitive = std::variant<Line, Polyline, Area, Rect, Marker, Text, HitBox>;

class Wording;

/// What a figure is drawn for: the room there is, and who reads it.
struct Size {
  double width = 960.0;
  double height = 600.0;
  const Wording* wording =
      nullptr;  // of the reader's language; nullptr: texts are read as they stand. Outlives the drawing
};

/// The same room for readers of another language.
constexpr Size for_readers(Size size, const Wording* wording) {
  size.wording = wording;
  return size;
}

/// Where data lie in a figure, and which value a position stands for: what zooming and brushing go by.
struct Plane {
  Box frame;
  Scale x;
  Scale y;
};

/// A chart as a flat list of primitives in drawing order: one renderer per medium draws them and adds nothing.
struct Figure {
  std::string id;  // unique within a document
  Size size;
  std::string title;
  std::string description;  // for those who cannot see it: what is shown and what it says
  std::vector<Primitive> primitives;
  std::optional<Plane> plane = std::nullopt;  // of charts whose axes are both scales
};

}  // namespace dachlast::figure
