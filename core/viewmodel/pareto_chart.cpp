#include "core/viewmodel/pareto_chart.h"

#include <fmt/core.h>

#include <algorithm>

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

/// Where the points lie, with a margin; one decade where there are none.
figure::Interval domain_of(const std::vector<ParetoPoint>& points, double ParetoPoint::*member,
                           std::optional<double> also) {
  double least = also.value_or(points.empty() ? 1.0 : points.front().*member);
  double most = also.value_or(points.empty() ? 10.0 : points.front().*member);
  for (const ParetoPoint& point : points) {
    least = std::min(least, point.*member);
    most = std::max(most, point.*member);
  }
  return {least / kMargin, most * kMargin};
}

class ParetoDrawing {
 public:
  ParetoDrawing(const ParetoChart& chart, Size size, std::string id)
      : chart_(chart),
        legend_rows_(legend_rows(kLegend, size.width - kLeft - kRight, kFont)),
        frame_{kLeft, kTop, size.width - kLeft - kRight,
               std::max(size.height - kTop - kBottom - legend_rows_ * kLegendRowHeight, 40.0)},
        x_(Scale::log(domain_of(chart.points, &ParetoPoint::request_tokens_s, least_rate()), frame_.x, frame_.right())),
        y_(Scale::log(domain_of(chart.points, &ParetoPoint::device_tokens_s, {}), frame_.bottom(), frame_.y)) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = chart.title;
    figure_.description = chart.description;
  }

  Figure draw() {
    allowed_region();
    const auto tick = [](double value) { return fmt::format("{:g}", value); };
    draw_axes(figure_.primitives, frame_, {x_, "Tokens/s of a request", tick, 6}, {y_, "Tokens/s per GPU", tick, 6});
    frontier();
    for (const ParetoRank rank : {ParetoRank::kCandidate, ParetoRank::kFrontier, ParetoRank::kOption}) markers(rank);
    labels();
    hits();
    if (chart_.points.empty()) empty_sentence();
    draw_legend(figure_.primitives,
                {frame_.x, frame_.bottom() + kBottom, frame_.width, legend_rows_ * kLegendRowHeight}, kLegend, kFont);
    return std::move(figure_);
  }

 private:
  std::optional<double> least_rate() const {
    return chart_.tpot_limit_s ? std::optional(1.0 / *chart_.tpot_limit_s) : std::nullopt;
  }

  Point at(const ParetoPoint& point) const {
    return {x_.position(point.request_tokens_s), y_.position(point.device_tokens_s)};
  }

  void allowed_region() {
    if (!chart_.tpot_limit_s) return;
    const double x = x_.position(*least_rate());
    figure_.primitives.push_back(Rect{.box = {x, frame_.y, frame_.right() - x, frame_.height},
                                      .role = Role::kCompute,
                                      .opacity = 0.08,
                                      .hatch = Hatch::kNone});
    figure_.primitives.push_back(Line{{x, frame_.y}, {x, frame_.bottom()}, {Role::kCompute, 1.5, Dash::kDashed}});
    figure_.primitives.push_back(
        Text{.at = {x + 6.0, frame_.bottom() - 8.0},
             .text = fmt::format("within TPOT {}", format(Measure::kTime, *chart_.tpot_limit_s)),
             .role = Role::kText,
             .size = kFont,
             .halo = Halo::kSurface});
  }

  void frontier() {
    Polyline line{{}, {Role::kMemory, 1.5}};
    for (const ParetoPoint& point : chart_.points)
      if (point.rank != ParetoRank::kCandidate && on_frontier(point)) line.points.push_back(at(point));
    std::ranges::sort(line.points, {}, &Point::x);
    if (line.points.size() > 1) figure_.primitives.emplace_back(std::move(line));
  }

  /// Options may lie off the frontier: the one with most headroom, say.
  bool on_frontier(const ParetoPoint& point) const {
    return std::ranges::none_of(chart_.points, [&](const ParetoPoint& other) {
      return other.rank != ParetoRank::kCandidate && other.request_tokens_s >= point.request_tokens_s &&
             other.device_tokens_s >= point.device_tokens_s &&
             (other.request_tokens_s > point.request_tokens_s || other.device_tokens_s > point.device_tokens_s);
    });
  }

  static double size_of(ParetoRank rank) {
    constexpr double kSizes[] = {kCandidateSize, kFrontierSize, kOptionSize};
    return kSizes[static_cast<int>(rank)];
  }

  void markers(ParetoRank rank) {
    const LegendEntry& look = kLegend[kLegend.size() - 1 - static_cast<std::size_t>(rank)];
    for (const ParetoPoint& point : chart_.points)
      if (point.rank == rank)
        figure_.primitives.push_back(Marker{at(point), size_of(rank), look.shape, look.fill, look.role});
  }

  void labels() {
    std::vector<LabelRequest> requests;
    for (const ParetoPoint& point : chart_.points)
      if (point.rank == ParetoRank::kOption)
        requests.push_back({.at = at(point), .radius = kOptionSize / 2, .text = point.label, .size = kFont});
    for (std::size_t i = 0; const auto& placed : place_labels(requests, frame_, {})) {
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

  void hits() {
    for (const ParetoPoint& point : chart_.points) {
      const double side = std::max(size_of(point.rank), kLeastHit);
      const Point p = at(point);
      figure_.primitives.push_back(HitBox{{p.x - side / 2, p.y - side / 2, side, side}, point.datum, point.tooltip});
    }
  }

  void empty_sentence() {
    figure_.primitives.push_back(Text{.at = {frame_.x + frame_.width / 2, frame_.y + frame_.height / 2},
                                      .text = "Nothing fits that could be timed.",
                                      .role = Role::kMuted,
                                      .size = kFont,
                                      .anchor = Anchor::kMiddle});
  }

  const ParetoChart& chart_;
  int legend_rows_;
  Box frame_;
  Scale x_;
  Scale y_;
  Figure figure_;
};

}  // namespace

figure::Figure pareto_figure(const ParetoChart& chart, figure::Size size, std::string id) {
  return ParetoDrawing(chart, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
