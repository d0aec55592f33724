#include "core/figure/axes.h"

#include <algorithm>
#include <cmath>

#include "core/figure/labels.h"

namespace dachlast::figure {
namespace {

constexpr double kTickFont = 11.0;
constexpr double kTitleFont = 12.0;
constexpr double kTickPitch = 13.0;  // between labels of the y axis
constexpr double kTickAir = 4.0;     // between those of the x axis
constexpr double kRightRoom = 14.0;  // that every chart leaves beside its frame
constexpr double kLegendGap = 18.0;
constexpr double kLegendMarkerRoom = 18.0;

void draw_x(std::vector<Primitive>& out, const Box& frame, const Axis& axis) {
  double labelled = -HUGE_VAL;  // up to where
  for (const Tick& tick : axis.scale.ticks(axis.target_ticks)) {
    const double x = axis.scale.position(tick.value);
    if (!tick.major) {
      out.push_back(Line{{x, frame.bottom()}, {x, frame.bottom() + 3}, {Role::kAxis, 0.75}});
      continue;
    }
    out.push_back(Line{{x, frame.y}, {x, frame.bottom() + 5}, {Role::kGrid, 1.0}});
    const std::string text = axis.tick_text(tick.value);
    // A long last label ends where the room ends instead of being cut.
    const double half = text_width(text, kTickFont) / 2;
    const double at = std::min(x, frame.right() + kRightRoom - half);
    if (at - half < labelled) continue;
    labelled = at + half + kTickAir;
    out.push_back(Text{{at, frame.bottom() + 18}, text, Role::kMuted, kTickFont, Anchor::kMiddle});
  }
  out.push_back(
      Text{{frame.x + frame.width / 2, frame.bottom() + 38}, axis.title, Role::kText, kTitleFont, Anchor::kMiddle});
}

void draw_y(std::vector<Primitive>& out, const Box& frame, const Axis& axis) {
  double labelled = HUGE_VAL;
  for (const Tick& tick : axis.scale.ticks(axis.target_ticks)) {
    const double y = axis.scale.position(tick.value);
    if (!tick.major) {
      out.push_back(Line{{frame.x - 3, y}, {frame.x, y}, {Role::kAxis, 0.75}});
      continue;
    }
    out.push_back(Line{{frame.x - 5, y}, {frame.right(), y}, {Role::kGrid, 1.0}});
    if (std::abs(y - labelled) < kTickPitch) continue;  // low charts name every second tick, or fewer
    labelled = y;
    out.push_back(Text{{frame.x - 9, y + 4}, axis.tick_text(tick.value), Role::kMuted, kTickFont, Anchor::kEnd});
  }
  // Above the axis, read horizontally: a turned title costs the reader's neck.
  out.push_back(Text{{frame.x - 9, frame.y - 12}, axis.title, Role::kText, kTitleFont, Anchor::kStart});
}

double entry_width(const LegendEntry& entry, const LegendLook& look) {
  return kLegendMarkerRoom + text_width(entry.text, look.font_size, look.wording) + kLegendGap;
}

// Calls `place` with each entry's row and x offset.
template <class Place>
int flow(std::span<const LegendEntry> entries, double width, const LegendLook& look, Place place) {
  int row = 0;
  double x = 0.0;
  for (const LegendEntry& entry : entries) {
    const double w = entry_width(entry, look);
    if (x > 0.0 && x + w - kLegendGap > width) {
      ++row;
      x = 0.0;
    }
    place(entry, row, x);
    x += w;
  }
  return entries.empty() ? 0 : row + 1;
}

}  // namespace

void draw_axes(std::vector<Primitive>& out, const Box& frame, const Axis& x, const Axis& y) {
  draw_x(out, frame, x);
  draw_y(out, frame, y);
  out.push_back(Line{{frame.x, frame.y}, {frame.x, frame.bottom()}, {Role::kAxis, 1.0}});
  out.push_back(Line{{frame.x, frame.bottom()}, {frame.right(), frame.bottom()}, {Role::kAxis, 1.0}});
}

int legend_rows(std::span<const LegendEntry> entries, double width, const LegendLook& look) {
  return flow(entries, width, look, [](const LegendEntry&, int, double) {});
}

void draw_legend(std::vector<Primitive>& out, const Box& area, std::span<const LegendEntry> entries,
                 const LegendLook& look) {
  flow(entries, area.width, look, [&](const LegendEntry& entry, int row, double dx) {
    const double x = area.x + dx;
    const double y = area.y + (row + 0.5) * kLegendRowHeight;
    if (entry.marker_size > 0.0)
      out.push_back(Marker{{x + 7, y}, entry.marker_size, entry.shape, entry.fill, entry.role});
    else
      out.push_back(Line{{x, y}, {x + 14, y}, {entry.role, 2.0}});
    out.push_back(Text{{x + kLegendMarkerRoom, y + 0.35 * look.font_size}, entry.text, Role::kText, look.font_size});
  });
}

}  // namespace dachlast::figure
