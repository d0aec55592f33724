#pragma once

#include <optional>
#include <vector>

#include "core/figure/figure.h"

namespace dachlast::figure {

/// The part of a segment inside a box; empty where none is.
/// Source   Liang & Barsky 1984, doi:10.1145/357332.357333.
std::optional<Line> clipped(const Line& line, const Box& box);

/// The part of a closed outline inside a box; convex outlines stay one piece. Empty where none is.
/// Source   Sutherland & Hodgman 1974, doi:10.1145/360767.360802.
std::vector<Point> clipped(const std::vector<Point>& outline, const Box& box);

}  // namespace dachlast::figure
