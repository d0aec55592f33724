#include "core/viewmodel/phase_bars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/op_family.h"
#include "core/viewmodel/run_view.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kBarFont = 11.5;
constexpr double kBarHeight = 20.0;
constexpr double kBarPitch = 46.0;  // a line of text above each bar
constexpr double kLeastLabelled = 34.0;
constexpr double kTextGap = 4.0;  // between the texts of a line; widths of texts lean to the wide side
constexpr double kTop = 6.0;

using Shares = std::array<double, kOpFamilyCount + 1>;  // the last one: between operations

Shares shares_of(const PointSummary& point) {
  Shares shares{};
  for (const auto& op : point.ops) shares[static_cast<std::size_t>(family_of(op.op))] += op.share;
  shares.back() = std::max(point.gap_share, 0.0);
  return shares;
}

Role role_at(std::size_t i) {
  return i < kOpFamilyCount ? role_of(static_cast<OpFamily>(i)) : Role::kLatency;
}

std::string name_at(std::size_t i) {
  return i < kOpFamilyCount ? std::string(name_of(static_cast<OpFamily>(i))) : "between operations";
}

void draw_heading(Figure& figure, const PointSummary& point, double y) {
  const std::string heading = point_heading(point);
  figure.primitives.push_back(Text{{0.0, y + 13.0}, heading, Role::kText, kBarFont});
  std::string right = format(Measure::kTime, point.time_s.median);
  if (point.verdict) {
    const std::string judged = fmt::format("{} · {}", right, display_name_of(point.verdict->bound));
    // On a telephone the time alone; the table says what bounds it.
    const double width =
        text_width(heading, kBarFont, figure.size.wording) + text_width(judged, kBarFont, figure.size.wording);
    if (width + kTextGap <= figure.size.width) right = judged;
  }
  figure.primitives.push_back(Text{{figure.size.width, y + 13.0}, right, Role::kMuted, kBarFont, Anchor::kEnd});
}

void draw_bar(Figure& figure, const PointSummary& point, double y) {
  const Shares shares = shares_of(point);
  double total = 0.0;
  for (const double share : shares) total += share;
  if (total <= 0.0) return;
  double x = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double width = figure.size.width * shares[i] / total;
    if (width < 0.5) continue;
    const Hatch hatch = i < kOpFamilyCount ? Hatch::kNone : Hatch::kDots;
    const Box box{x, y, std::max(width - 1.5, 0.5), kBarHeight};
    figure.primitives.push_back(Rect{box, role_at(i), hatch == Hatch::kNone ? 1.0 : 0.25, hatch});
    const Role ink = hatch == Hatch::kNone ? Role::kSurface : Role::kText;
    if (width >= kLeastLabelled)
      figure.primitives.push_back(Text{
          {x + width / 2, y + 14.0}, format_percent(shares[i]), ink, kBarFont, Anchor::kMiddle, 0.0, Weight::kBold});
    figure.primitives.push_back(HitBox{box, fmt::format("{}-{}", point_heading(point), i),
                                       fmt::format("{}\n{} of the step", name_at(i), format_percent(shares[i])),
                                       Amount{shares[i] * point.time_s.median, AmountUnit::kSeconds}});
    x += width;
  }
}

std::vector<LegendEntry> legend_of(const std::vector<PointSummary>& points) {
  Shares most{};
  for (const auto& point : points) {
    const Shares shares = shares_of(point);
    for (std::size_t i = 0; i < shares.size(); ++i) most[i] = std::max(most[i], shares[i]);
  }
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < most.size(); ++i)
    if (most[i] > 0.0) entries.push_back({name_at(i), role_at(i), MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
  return entries;
}

std::string description_of(const std::vector<PointSummary>& points) {
  std::string text = "Stacked bars, one per measured point: share of step time by family of operations.";
  for (const auto& point : points) {
    text += fmt::format(" {}:", point_heading(point));
    const Shares shares = shares_of(point);
    for (std::size_t i = 0; i < shares.size(); ++i)
      if (shares[i] > 0.0) text += fmt::format(" {} {}", name_at(i), format_percent(shares[i]));
    text += ".";
  }
  return text;
}

}  // namespace

figure::Figure phase_bars(const Run& run, double width, std::string id, const figure::Wording* wording) {
  const auto points = summaries_of(run);
  const auto legend = legend_of(points);
  const double legend_height = kLegendRowHeight * legend_rows(legend, width, {kBarFont, wording});
  const double bars_height = kBarPitch * static_cast<double>(points.size());
  Figure figure{std::move(id),
                {width, kTop + legend_height + bars_height + 4.0, wording},
                "Where the time of a step goes",
                description_of(points),
                {}};
  draw_legend(figure.primitives, {0.0, kTop, width, legend_height}, legend, {kBarFont, wording});
  double y = kTop + legend_height;
  for (const auto& point : points) {
    draw_heading(figure, point, y + 2.0);
    draw_bar(figure, point, y + 20.0);
    y += kBarPitch;
  }
  return figure;
}

}  // namespace dachlast::viewmodel
