#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/figure/figure.h"
#include "core/figure/scale.h"

namespace dachlast::figure {

/// One axis of a chart: scale, title, and how a tick's value reads.
struct Axis {
  Scale scale;
  std::string title;  // with unit
  std::function<std::string(double)> tick_text;
  int target_ticks = 6;
};

/// Draws grid, ticks, tick labels and titles of a chart whose data lie in `frame`; x below, y on the left.
void draw_axes(std::vector<Primitive>& out, const Box& frame, const Axis& x, const Axis& y);

/// One entry of a legend: a marker, or a stroke where `marker_size` is 0.
struct LegendEntry {
  std::string text;
  Role role = Role::kText;
  MarkerShape shape = MarkerShape::kCircle;
  MarkerFill fill = MarkerFill::kFilled;
  double marker_size = 10.0;
};

inline constexpr double kLegendRowHeight = 20.0;

/// How a legend is written, and how it will be read.
struct LegendLook {
  double font_size = 12.0;
  const Wording* wording = nullptr;
};

/// Rows that `draw_legend` needs at this width.
int legend_rows(std::span<const LegendEntry> entries, double width, const LegendLook& look);

/// Draws entries from left to right, wrapped to `area.width`; the first row's middle lies half a row below `area.y`.
void draw_legend(std::vector<Primitive>& out, const Box& area, std::span<const LegendEntry> entries,
                 const LegendLook& look);

}  // namespace dachlast::figure
