#include "core/figure/clip.h"

#include <algorithm>
#include <array>

namespace dachlast::figure {
namespace {

/// One side of a box as a half plane: inside where a·x + b·y + c ≥ 0.
struct Side {
  double a;
  double b;
  double c;

  double depth(Point p) const { return a * p.x + b * p.y + c; }
};

std::array<Side, 4> sides_of(const Box& box) {
  return {{{1.0, 0.0, -box.x}, {-1.0, 0.0, box.right()}, {0.0, 1.0, -box.y}, {0.0, -1.0, box.bottom()}}};
}

Point between(Point from, Point to, double share) {
  return {from.x + share * (to.x - from.x), from.y + share * (to.y - from.y)};
}

std::vector<Point> inside_of(const std::vector<Point>& outline, const Side& side) {
  std::vector<Point> kept;
  for (std::size_t i = 0; i < outline.size(); ++i) {
    const Point from = outline[i];
    const Point to = outline[(i + 1) % outline.size()];
    const double a = side.depth(from);
    const double b = side.depth(to);
    if (a >= 0.0) kept.push_back(from);
    if ((a >= 0.0) != (b >= 0.0)) kept.push_back(between(from, to, a / (a - b)));
  }
  return kept;
}

}  // namespace

std::optional<Line> clipped(const Line& line, const Box& box) {
  double enters = 0.0;
  double leaves = 1.0;
  for (const Side& side : sides_of(box)) {
    const double a = side.depth(line.from);
    const double b = side.depth(line.to);
    if (a < 0.0 && b < 0.0) return std::nullopt;
    if (a < 0.0) enters = std::max(enters, a / (a - b));
    if (b < 0.0) leaves = std::min(leaves, a / (a - b));
  }
  if (enters >= leaves) return std::nullopt;
  return Line{between(line.from, line.to, enters), between(line.from, line.to, leaves), line.stroke};
}

std::vector<Point> clipped(const std::vector<Point>& outline, const Box& box) {
  std::vector<Point> kept = outline;
  for (const Side& side : sides_of(box)) {
    kept = inside_of(kept, side);
    if (kept.size() < 3) return {};
  }
  return kept;
}

}  // namespace dachlast::figure
