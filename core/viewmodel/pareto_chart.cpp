#include "core/viewmodel/pareto_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kFont = 12.0;
constexpr double kLeft = 66.0;
constexpr double kRight = 22.0;
constexpr double kTop = 36.0;
constexpr double kBottom = 52.0;
constexpr double kCandidateSize = 5.0;
constexpr double kFrontierSize = 8.0;
constexpr double kOptionSize = 12.0;
constexpr double kLeastHit = 14.0;  // a pointer finds it
constexpr double kMargin = 1.25;    // beyond the outermost points

const std::vector<LegendEntry> kLegend = {
    {"option", Role::kCompute, MarkerShape::kSquare, MarkerFill::kHollow, kOptionSize},
    {"on the frontier", Role::kMemory, MarkerShape::kCircle, MarkerFill::kHollow, kFrontierSize},
    {"other deployments", Role::kMuted, MarkerShape::kCircle, MarkerFill::kHollow, kCandidateSize}};

/// A point's figure on an axis; 0: not known.
double value_of(const ParetoPoint& point, ParetoAxis axis) {
  switch (axis) {
    case ParetoAxis::kRequestRate: return point.request_tokens_s;
    case ParetoAxis::kDeviceRate: return point.device_tokens_s;
    case ParetoAxis::kTtft: return point.ttft_s;
    case ParetoAxis::kTpot: return point.tpot_s;
    case ParetoAxis::kDevices: return point.n_devices;
    case ParetoAxis::kCost: return point.cost_per_million;
  }
  return 0.0;
}

bool more_is_better(ParetoAxis axis) {
  return axis == ParetoAxis::kRequestRate || axis == ParetoAxis::kDeviceRate;
}

/// The better of two figures is the larger one of these.
double merit_of(const ParetoPoint& point, ParetoAxis axis) {
  const double value = value_of(point, axis);
  return more_is_better(axis) ? value : -value;
}

/// A limit of the question as a place on an axis.
struct Limit {
  double at = 0.0;
  std::string text;
};

std::optional<Limit> limit_on(const ParetoChart& chart, ParetoAxis axis) {
  const auto text = [](const char* name, double seconds) {
    return fmt::format("within {} {}", name, format(Measure::kTime, seconds));
  };
  if (axis == ParetoAxis::kRequestRate && chart.tpot_limit_s)
    return Limit{1.0 / *chart.tpot_limit_s, text("TPOT", *chart.tpot_limit_s)};
  if (axis == ParetoAxis::kTpot && chart.tpot_limit_s)
    return Limit{*chart.tpot_limit_s, text("TPOT", *chart.tpot_limit_s)};
  if (axis == ParetoAxis::kTtft && chart.ttft_limit_s)
    return Limit{*chart.ttft_limit_s, text("TTFT", *chart.ttft_limit_s)};
  return std::nullopt;
}

using Points = std::vector<const ParetoPoint*>;

/// Of the points that meet the limits those that no other beats in both figures, best in x first.
Points frontier_of(const Points& points, ParetoAxis x, ParetoAxis y) {
  Points sorted;
  std::ranges::copy_if(points, std::back_inserter(sorted), &ParetoPoint::meets_limits);
  std::ranges::stable_sort(sorted, std::greater<>(),
                           [&](const ParetoPoint* p) { return std::pair(merit_of(*p, x), merit_of(*p, y)); });
  Points frontier;
  for (const ParetoPoint* point : sorted)
    if (frontier.empty() || merit_of(*point, y) > merit_of(*frontier.back(), y)) frontier.push_back(point);
  return frontier;
}

/// What is drawn: points with both figures, those outdone only where they are asked for.
Points drawn_points(const ParetoChart& chart) {
  Points points;
  for (const ParetoPoint& point : chart.points)
    if (value_of(point, chart.x) > 0.0 && value_of(point, chart.y) > 0.0) points.push_back(&point);
  if (chart.dominated == Dominated::kShown) return points;
  const Points frontier = frontier_of(points, chart.x, chart.y);
  std::erase_if(points, [&](const ParetoPoint* p) {
    return p->rank != ParetoRank::kOption && std::ranges::find(frontier, p) == frontier.end();
  });
  return points;
}

/// Where the points and the limit lie, with a margin; one decade where there are neither.
figure::Interval domain_of(const ParetoChart& chart, const Points& points, ParetoAxis axis) {
  const std::optional<Limit> limit = limit_on(chart, axis);
  double least = limit ? limit->at : points.empty() ? 1.0 : value_of(*points.front(), axis);
  double most = limit ? limit->at : points.empty() ? 10.0 : least;
  for (const ParetoPoint* point : points) {
    least = std::min(least, value_of(*point, axis));
    most = std::max(most, value_of(*point, axis));
  }
  return {least / kMargin, most * kMargin};
}

class ParetoDrawing {
 public:
  ParetoDrawing(const ParetoChart& chart, Size size, std::string id)
      : chart_(chart),
        points_(drawn_points(chart)),
        frontier_(frontier_of(points_, chart.x, chart.y)),
        legend_rows_(legend_rows(kLegend, size.width - kLeft - kRight, {kFont, size.wording})),
        frame_{kLeft, kTop, std::max(size.width - kLeft - kRight, 40.0),
               std::max(size.height - kTop - kBottom - legend_rows_ * kLegendRowHeight, 40.0)},
        x_(Scale::log(domain_of(chart, points_, chart.x), frame_.x, frame_.right())),
        y_(Scale::log(domain_of(chart, points_, chart.y), frame_.bottom(), frame_.y)) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = chart.title;
    figure_.description = chart.description;
    figure_.plane = Plane{frame_, x_, y_};
  }

  Figure draw() {
    allowed_region();
    const auto tick = [](double value) { return fmt::format("{:g}", value); };
    draw_axes(figure_.primitives, frame_, {x_, std::string(title_of(chart_.x)), tick, 6},
              {y_, std::string(title_of(chart_.y)), tick, 6});
    frontier();
    for (const ParetoRank rank : {ParetoRank::kCandidate, ParetoRank::kFrontier, ParetoRank::kOption}) markers(rank);
    labels();
    hits();
    if (points_.empty()) empty_sentence();
    draw_legend(figure_.primitives,
                {frame_.x, frame_.bottom() + kBottom, frame_.width, legend_rows_ * kLegendRowHeight}, kLegend,
                {kFont, figure_.size.wording});
    return std::move(figure_);
  }

 private:
  Point at(const ParetoPoint& point) const {
    return {x_.position(value_of(point, chart_.x)), y_.position(value_of(point, chart_.y))};
  }

  /// Options stay options on any axes; the frontier is that of the axes shown.
  ParetoRank rank_of(const ParetoPoint& point) const {
    if (point.rank == ParetoRank::kOption) return ParetoRank::kOption;
    return std::ranges::find(frontier_, &point) == frontier_.end() ? ParetoRank::kCandidate : ParetoRank::kFrontier;
  }

  void allowed_region() {
    const std::optional<Limit> across = limit_on(chart_, chart_.x);
    const std::optional<Limit> upward = limit_on(chart_, chart_.y);
    if (!across && !upward) return;
    Box box = frame_;
    if (across) {
      const double x = x_.position(across->at);
      box.x = more_is_better(chart_.x) ? x : frame_.x;
      box.width = more_is_better(chart_.x) ? frame_.right() - x : x - frame_.x;
    }
    if (upward) {
      const double y = y_.position(upward->at);
      box.y = more_is_better(chart_.y) ? frame_.y : y;
      box.height = more_is_better(chart_.y) ? y - frame_.y : frame_.bottom() - y;
    }
    figure_.primitives.push_back(Rect{.box = box, .role = Role::kCompute, .opacity = 0.08, .hatch = Hatch::kNone});
    if (across) upright_limit(*across);
    if (upward) level_limit(*upward);
  }

  void upright_limit(const Limit& limit) {
    const double x = x_.position(limit.at);
    const bool right = more_is_better(chart_.x);
    figure_.primitives.push_back(Line{{x, frame_.y}, {x, frame_.bottom()}, {Role::kCompute, 1.5, Dash::kDashed}});
    note({x + (right ? 6.0 : -6.0), frame_.bottom() - 8.0}, limit.text, right ? Anchor::kStart : Anchor::kEnd);
  }

  void level_limit(const Limit& limit) {
    const double y = y_.position(limit.at);
    figure_.primitives.push_back(Line{{frame_.x, y}, {frame_.right(), y}, {Role::kCompute, 1.5, Dash::kDashed}});
    note({frame_.right() - 6.0, y + (more_is_better(chart_.y) ? -6.0 : 15.0)}, limit.text, Anchor::kEnd);
  }

  void note(Point at, const std::string& text, Anchor anchor) {
    const double width = text_width(text, kFont, figure_.size.wording);
    notes_.push_back({anchor == Anchor::kEnd ? at.x - width : at.x, at.y - kFont, width, 1.3 * kFont});
    figure_.primitives.push_back(
        Text{.at = at, .text = text, .role = Role::kText, .size = kFont, .anchor = anchor, .halo = Halo::kSurface});
  }

  void frontier() {
    Polyline line{{}, {Role::kMemory, 1.5}};
    for (const ParetoPoint* point : frontier_) line.points.push_back(at(*point));
    std::ranges::sort(line.points, {}, &Point::x);
    if (line.points.size() > 1) figure_.primitives.emplace_back(std::move(line));
  }

  static double size_of(ParetoRank rank) {
    constexpr double kSizes[] = {kCandidateSize, kFrontierSize, kOptionSize};
    return kSizes[static_cast<int>(rank)];
  }

  void markers(ParetoRank rank) {
    const LegendEntry& look = kLegend[kLegend.size() - 1 - static_cast<std::size_t>(rank)];
    for (const ParetoPoint* point : points_)
      if (rank_of(*point) == rank)
        figure_.primitives.push_back(Marker{at(*point), size_of(rank), look.shape, look.fill, look.role});
  }

  void labels() {
    std::vector<LabelRequest> requests;
    for (const ParetoPoint* point : points_)
      if (point->rank == ParetoRank::kOption)
        requests.push_back(
            {.at = at(*point), .radius = kOptionSize / 2, .text = point->label, .size = kFont, .face = Weight::kBold});
    for (std::size_t i = 0;
         const auto& placed : place_labels(requests, {frame_, notes_, marker_boxes(), figure_.size.wording})) {
      const std::string& text = requests[i++].text;
      if (!placed) continue;
      if (placed->leader) figure_.primitives.emplace_back(*placed->leader);
      figure_.primitives.push_back(Text{.at = placed->at,
                                        .text = text,
                                        .role = Role::kText,
                                        .size = kFont,
                                        .anchor = placed->anchor,
                                        .weight = Weight::kBold,
                                        .halo = Halo::kSurface});
    }
  }

  std::vector<Box> marker_boxes() const {
    std::vector<Box> boxes;
    for (const ParetoPoint* point : points_) {
      const double half = size_of(rank_of(*point)) / 2;
      const Point p = at(*point);
      boxes.push_back({p.x - half, p.y - half, 2 * half, 2 * half});
    }
    return boxes;
  }

  void hits() {
    for (const ParetoPoint* point : points_) {
      const double side = std::max(size_of(rank_of(*point)), kLeastHit);
      const Point p = at(*point);
      figure_.primitives.push_back(HitBox{{p.x - side / 2, p.y - side / 2, side, side},
                                          point->datum,
                                          point->tooltip,
                                          Amount{point->device_tokens_s, AmountUnit::kTokensPerSecond}});
    }
  }

  void empty_sentence() {
    const bool cost = chart_.x == ParetoAxis::kCost || chart_.y == ParetoAxis::kCost;
    figure_.primitives.push_back(Text{.at = {figure_.size.width / 2, frame_.y + frame_.height / 2},
                                      .text = cost && !chart_.points.empty()
                                                  ? "Without prices there is no cost to show."
                                                  : "Nothing fits that could be timed.",
                                      .role = Role::kMuted,
                                      .size = kFont,
                                      .anchor = Anchor::kMiddle});
  }

  const ParetoChart& chart_;
  Points points_;
  Points frontier_;
  int legend_rows_;
  Box frame_;
  Scale x_;
  Scale y_;
  std::vector<Box> notes_;  // of limits
  Figure figure_;
};

}  // namespace

figure::Figure pareto_figure(const ParetoChart& chart, figure::Size size, std::string id) {
  return ParetoDrawing(chart, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
