// Draws the roofline: grid, bands, roofs, points, labels, legend, in that order.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <set>

#include "core/figure/axes.h"
#include "core/figure/clip.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/op_family.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/verdict_text.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kLabelFont = 11.5;
constexpr double kSmallFont = 11.0;
constexpr double kNarrow = 600.0;  // below this width there is no room for names in the bands
constexpr double kLargestMarker = 28.0;
constexpr double kSmallestMarker = 6.0;
constexpr double kAbove = 4.0;
constexpr double kRoofPitch = 20.0;  // between compute roofs with a label between them
constexpr double kArrowReach = 3.0;  // around the middle of an arrow

std::string tick_number(double value) {
  return value >= 1.0 ? format_count(std::llround(value)) : fmt::format("{:g}", value);
}

std::string marker_text(const RooflinePoint& point) {
  return fmt::format("{} {}", point.number, point.label);
}

class Drawing {
 public:
  Drawing(const RooflinePlot& plot, Size size, std::string id);
  Figure draw();

 private:
  void axes();
  void bands();
  void band(std::vector<Point> outline, Role role, double opacity, Hatch hatch);
  void band_names();
  void latency_name();
  void compute_name();
  void memory_name();
  bool is_free(const Box& box) const;
  void roofs();
  void memory_roof(const RooflineRoof& roof, double width);
  void compute_roof(const RooflineRoof& roof);
  void other_roof(const RooflineRoof& roof);
  void faint_roof(Line line, const RooflineRoof& roof);
  void ridge();
  void points();
  void ghosts();
  void point_labels();
  void edge_marker(const RooflinePoint& point, Point p);
  void hits();
  void legend();

  Point at(double intensity, double rate) const { return {x_.position(intensity), y_.position(rate)}; }
  Point clamped(const RooflinePoint& point) const;
  // The frame and a little above it: the highest roof is the best of several readings, the frame goes by their median.
  Box room() const { return {frame_.x, frame_.y - kAbove, frame_.width, frame_.height + kAbove}; }
  bool on_chart(const RooflinePoint& point) const {
    return x_.contains(point.intensity) && y_.contains(point.flops_per_s);
  }
  double marker_size(const RooflinePoint& point) const;
  double bandwidth() const { return plot_.memory_roofs.front().value; }
  double peak() const { return plot_.compute_roofs.front().value; }
  double ridge_intensity() const { return peak() / bandwidth(); }
  std::string roof_label(const RooflineRoof& roof) const;
  double slope_deg() const;
  double width_of(const std::string& text) const { return text_width(text, kSmallFont, figure_.size.wording); }
  std::vector<Box> along(Point from, double length, double angle_deg) const;
  void avoid(const Line& line);
  void add_turned_obstacle(Point from, double length, double angle_deg);
  std::string description() const;

  const RooflinePlot& plot_;
  Figure figure_;
  std::vector<LegendEntry> legend_entries_;
  Box frame_;
  Unit unit_;
  Scale x_;
  Scale y_;
  std::vector<Box> obstacles_;
  std::vector<LabelRequest> changes_;  // of ghosts; wanted less than any name
  std::vector<Box> avoided_;           // lines: labels on them are harder to read
};

Box frame_of(Size size, int n_legend_rows) {
  const double left = 58.0;
  const double top = 34.0;
  const double bottom = 52.0 + kLegendRowHeight * n_legend_rows;
  return {left, top, size.width - left - 16.0, size.height - top - bottom};
}

std::vector<LegendEntry> entries_of(const RooflinePlot& plot) {
  std::vector<LegendEntry> entries;
  std::set<Phase> phases;
  std::map<OpFamily, std::string> families;
  for (const auto& point : plot.points) {
    if (point.phase) phases.insert(*point.phase);
    const OpFamily family = family_of(point.op);
    families.emplace(family, point.group.empty() ? std::string(name_of(family)) : point.group);
  }
  for (const Phase phase : phases)
    entries.push_back({std::string(name_of(phase)), Role::kText, shape_of(phase), MarkerFill::kHollow, 10.0});
  for (const auto& [family, name] : families)
    entries.push_back({name, role_of(family), MarkerShape::kCircle, MarkerFill::kFilled, 10.0});
  return entries;
}

MarkerShape marker_shape(const RooflinePoint& point) {
  return shape_of(point.phase.value_or(Phase::kPrefill));
}

Drawing::Drawing(const RooflinePlot& plot, Size size, std::string id)
    : plot_(plot),
      legend_entries_(entries_of(plot)),
      frame_(frame_of(size, legend_rows(legend_entries_, size.width - 58.0, {kSmallFont, size.wording}))),
      unit_(unit_for(Measure::kWorkRate, plot.compute_roofs.front().value)),
      x_(Scale::log(plot.x, frame_.x, frame_.right())),
      y_(Scale::log(plot.y, frame_.bottom(), frame_.y)) {
  figure_.id = std::move(id);
  figure_.size = size;
  figure_.title = plot.title;
  figure_.description = description();
  figure_.plane = Plane{frame_, x_, y_};
}

std::string Drawing::description() const {
  std::string text =
      fmt::format("Roofline chart on logarithmic axes, arithmetic intensity against performance. Roofs: {}",
                  plot_.memory_roofs[0].label);
  for (const auto& roof : plot_.compute_roofs) text += ", " + roof.label;
  text += fmt::format("; ridge point at {}. ", format(Measure::kIntensity, ridge_intensity()));
  for (const auto& point : plot_.points)
    if (point.intensity > 0.0)
      text += fmt::format("{} {}{}: {} at {}. ", point.number, point.label,
                          point.phase ? fmt::format(" ({})", name_of(*point.phase)) : std::string(),
                          format(Measure::kWorkRate, point.flops_per_s), format(Measure::kIntensity, point.intensity));
  text.pop_back();
  return text;
}

double Drawing::marker_size(const RooflinePoint& point) const {
  return std::clamp(kLargestMarker * std::sqrt(point.share), kSmallestMarker, kLargestMarker);
}

// On telephones the word for the origin stays in the table of roofs; solid and dashed lines say it too.
std::string Drawing::roof_label(const RooflineRoof& roof) const {
  if (figure_.size.width >= kNarrow) return roof.label;
  std::string label = roof.label.substr(0, roof.label.find(" ("));
  return label.substr(0, label.rfind(' '));
}

// Log-log: every memory roof rises one decade a decade.
double Drawing::slope_deg() const {
  const double dx = x_.position(10.0) - x_.position(1.0);
  const double dy = y_.position(10.0) - y_.position(1.0);
  return std::atan2(dy, dx) * 180.0 / std::numbers::pi;
}

// Labels along a line are covered by a chain of small boxes: the box around the whole would block half the chart.
std::vector<Box> Drawing::along(Point from, double length, double angle_deg) const {
  const double angle = angle_deg * std::numbers::pi / 180.0;
  std::vector<Box> chain;
  for (double s = 0.0; s <= length; s += 8.0)
    chain.push_back({from.x + s * std::cos(angle) - 4.0, from.y + s * std::sin(angle) - 12.0, 12.0, 14.0});
  return chain;
}

void Drawing::add_turned_obstacle(Point from, double length, double angle_deg) {
  for (const Box& box : along(from, length, angle_deg)) obstacles_.push_back(box);
}

void Drawing::avoid(const Line& line) {
  const double dx = line.to.x - line.from.x;
  const double dy = line.to.y - line.from.y;
  const double length = std::hypot(dx, dy);
  for (double s = 0.0; s <= length; s += 4.0)
    avoided_.push_back({line.from.x + s / length * dx - 2.0, line.from.y + s / length * dy - 2.0, 4.0, 4.0});
}

bool Drawing::is_free(const Box& box) const {
  return std::ranges::none_of(obstacles_, [&](const Box& other) { return other.overlaps(box); });
}

void Drawing::axes() {
  draw_axes(
      figure_.primitives, frame_, {x_, "Arithmetic intensity, FLOP/byte", tick_number, 8},
      {y_, fmt::format("Performance, {}", unit_.text), [this](double v) { return tick_number(v / unit_.base); }, 8});
}

void Drawing::band(std::vector<Point> outline, Role role, double opacity, Hatch hatch) {
  outline = clipped(outline, room());
  if (!outline.empty()) figure_.primitives.push_back(Area{std::move(outline), role, opacity, hatch});
}

void Drawing::bands() {
  const double least = plot_.threshold;
  const double ridge = ridge_intensity();
  const auto roof_at = [&](double x) { return bandwidth() * x; };
  const auto line_at = [&](double x) { return least * bandwidth() * x; };
  // Beyond the frame on both sides, so that a zoomed chart cuts bands instead of bending them.
  const double left = std::min(plot_.x.lo, ridge / 10.0);
  const double right = std::max(plot_.x.hi, ridge * 10.0);
  const double bottom = std::min(plot_.y.lo, line_at(left));
  band({at(left, roof_at(left)), at(ridge, peak()), at(ridge, least * peak()), at(left, line_at(left))}, Role::kMemory,
       0.10, Hatch::kForward);
  band({at(ridge, peak()), at(right, peak()), at(right, least * peak()), at(ridge, least * peak())}, Role::kCompute,
       0.10, Hatch::kBackward);
  band({at(left, line_at(left)), at(ridge, least * peak()), at(right, least * peak()), at(right, bottom),
        at(left, bottom)},
       Role::kLatency, 0.05, Hatch::kDots);
}

// Names stand in their bands where nothing else does; on telephones there is room for one of them.
void Drawing::band_names() {
  latency_name();
  if (figure_.size.width < kNarrow) return;
  compute_name();
  memory_name();
}

void Drawing::latency_name() {
  const Point latency{frame_.right() - 10.0, frame_.bottom() - 10.0};
  const std::string name = fmt::format("latency-bound: below {} of both roofs", format_percent(plot_.threshold));
  figure_.primitives.push_back(Text{latency, name, Role::kMuted, kSmallFont, Anchor::kEnd});
  const double width = width_of(name);
  obstacles_.push_back({latency.x - width, latency.y - 12.0, width, 16.0});
}

void Drawing::compute_name() {
  const double y = at(plot_.x.hi, std::sqrt(plot_.threshold) * peak()).y;
  const double width = width_of("compute-bound");
  const double ridge = x_.position(ridge_intensity());
  for (double right = frame_.right() - 10.0; right - width > ridge + 10.0; right -= 20.0) {
    const Box box{right - width, y - 8.0, width, 16.0};
    if (!frame_.contains({box.x, box.y}) || !frame_.contains({right, y}) || !is_free(box)) continue;
    figure_.primitives.push_back(Text{{right, y + 4.0},
                                      "compute-bound",
                                      Role::kCompute,
                                      kSmallFont,
                                      Anchor::kEnd,
                                      0.0,
                                      Weight::kRegular,
                                      Halo::kSurface});
    obstacles_.push_back(box);
    return;
  }
}

void Drawing::memory_name() {
  const double half = width_of("memory-bound") / 2.0;
  const double angle = slope_deg() * std::numbers::pi / 180.0;
  // From halfway between where FP32 and BF16 decode lie and the ridge, downwards.
  for (double x = ridge_intensity() / 2.4; x > plot_.x.lo; x /= 2.0) {
    const Point memory = at(x, std::sqrt(plot_.threshold) * bandwidth() * x);
    const Point from{memory.x - half * std::cos(angle), memory.y + 4.0 - half * std::sin(angle)};
    const Point to{memory.x + half * std::cos(angle), memory.y + 4.0 + half * std::sin(angle)};
    if (!frame_.contains(from) || !frame_.contains(to)) continue;
    if (!std::ranges::all_of(along(from, 2.0 * half, slope_deg()), [&](const Box& box) { return is_free(box); }))
      continue;
    figure_.primitives.push_back(Text{{memory.x + 2.0, memory.y + 4.0},
                                      "memory-bound",
                                      Role::kMemory,
                                      kSmallFont,
                                      Anchor::kMiddle,
                                      slope_deg(),
                                      Weight::kRegular,
                                      Halo::kSurface});
    add_turned_obstacle(from, 2.0 * half, slope_deg());
    return;
  }
}

void Drawing::memory_roof(const RooflineRoof& roof, double width) {
  const double top =
      std::max_element(plot_.compute_roofs.begin(), plot_.compute_roofs.end(), [](const auto& a, const auto& b) {
        return a.value < b.value;
      })->value;
  const double start = std::max(plot_.x.lo, plot_.y.lo / roof.value);
  const Dash dash = roof.origin == Origin::kDatasheet ? Dash::kDashed : Dash::kSolid;
  const auto line =
      clipped(Line{at(start, start * roof.value), at(top / roof.value, top), {Role::kMemory, width, dash}}, room());
  other_roof(roof);
  if (!line) return;
  figure_.primitives.push_back(*line);
  const double angle = slope_deg() * std::numbers::pi / 180.0;
  const Point edge = at(start, start * roof.value);
  // Along the line and 6 units above it.
  const Point from{edge.x + 10.0 * std::cos(angle) + 6.0 * std::sin(angle),
                   edge.y + 10.0 * std::sin(angle) - 6.0 * std::cos(angle)};
  figure_.primitives.push_back(Text{from, roof_label(roof), Role::kMemory, kSmallFont, Anchor::kStart, slope_deg(),
                                    Weight::kRegular, Halo::kSurface});
  add_turned_obstacle(from, width_of(roof_label(roof)), slope_deg());
  avoid(*line);
}

/// The line of the source that percentages do not refer to; the label beside the first one names it.
void Drawing::other_roof(const RooflineRoof& roof) {
  if (roof.other <= 0.0) return;
  const double start = std::max(plot_.x.lo, plot_.y.lo / roof.other);
  const double end = std::min(plot_.x.hi, peak() / roof.other);
  faint_roof({at(start, start * roof.other), at(end, end * roof.other), {Role::kMemory}}, roof);
}

void Drawing::faint_roof(Line line, const RooflineRoof& roof) {
  line.stroke.width = 1.0;
  line.stroke.dash = roof.origin == Origin::kDatasheet ? Dash::kSolid : Dash::kDashed;
  if (const auto visible = clipped(line, room())) figure_.primitives.push_back(*visible);
}

void Drawing::compute_roof(const RooflineRoof& roof) {
  const Dash dash = roof.origin == Origin::kDatasheet ? Dash::kDashed : Dash::kSolid;
  if (roof.other > 0.0)
    faint_roof(
        {at(std::max(plot_.x.lo, roof.other / bandwidth()), roof.other), at(plot_.x.hi, roof.other), {Role::kCompute}},
        roof);
  const Point left = at(std::max(plot_.x.lo, roof.value / bandwidth()), roof.value);
  const Point right = at(plot_.x.hi, roof.value);
  const auto line = clipped(Line{left, right, {Role::kCompute, 2.25, dash}}, room());
  if (!line) return;
  figure_.primitives.push_back(*line);
  const double width = width_of(roof_label(roof));
  // Above its line, or below it where another roof lies too close.
  const bool below = std::ranges::any_of(plot_.compute_roofs, [&](const RooflineRoof& other) {
    const double gap = right.y - at(plot_.x.hi, other.value).y;
    return gap > 0.0 && gap < kRoofPitch;
  });
  const Point foot{right.x - 6.0, right.y + (below ? 14.0 : -6.0)};
  figure_.primitives.push_back(
      Text{foot, roof_label(roof), Role::kCompute, kSmallFont, Anchor::kEnd, 0.0, Weight::kRegular, Halo::kSurface});
  obstacles_.push_back({foot.x - width, foot.y - 12.0, width, 18.0});
  avoid(*line);
}

void Drawing::roofs() {
  for (std::size_t i = 0; i < plot_.memory_roofs.size(); ++i) memory_roof(plot_.memory_roofs[i], i == 0 ? 2.75 : 1.25);
  for (const auto& roof : plot_.compute_roofs) compute_roof(roof);
}

void Drawing::ridge() {
  if (!x_.contains(ridge_intensity()) || peak() < plot_.y.lo) return;
  const Point tip = at(ridge_intensity(), peak());
  const bool inside = tip.y >= room().y;
  const Point top{tip.x, inside ? tip.y : frame_.y};
  figure_.primitives.push_back(Line{top, {top.x, frame_.bottom()}, {Role::kAxis, 1.0, Dash::kDotted}});
  if (inside) figure_.primitives.push_back(Marker{top, 7.0, MarkerShape::kCircle, MarkerFill::kFilled, Role::kText});
  const std::string text = fmt::format("ridge {}", format(Measure::kIntensity, ridge_intensity()));
  const double width = width_of(text);
  const bool right = top.x + 7.0 + width <= frame_.right();
  const Point foot{right ? top.x + 7.0 : top.x - 7.0, frame_.bottom() - 28.0};
  figure_.primitives.push_back(Text{foot, text, Role::kText, kSmallFont, right ? Anchor::kStart : Anchor::kEnd, 0.0,
                                    Weight::kRegular, Halo::kSurface});
  obstacles_.push_back({right ? foot.x : foot.x - width, foot.y - 12.0, width, 16.0});
  obstacles_.push_back({top.x - 6.0, top.y - 6.0, 12.0, 12.0});
}

Point Drawing::clamped(const RooflinePoint& point) const {
  const double x = std::clamp(point.intensity, plot_.x.lo, plot_.x.hi);
  const double y = std::clamp(point.flops_per_s, plot_.y.lo, plot_.y.hi);
  return at(x, y);
}

// A small arrow head that points to where the datum really lies.
void Drawing::edge_marker(const RooflinePoint& point, Point p) {
  const double dx = point.intensity < plot_.x.lo ? -1.0 : point.intensity > plot_.x.hi ? 1.0 : 0.0;
  const double dy = point.flops_per_s > plot_.y.hi ? -1.0 : point.flops_per_s < plot_.y.lo ? 1.0 : 0.0;
  const double length = std::hypot(dx, dy);
  const Point out{dx / length, dy / length};
  const Point tip{p.x - 2.0 * out.x, p.y - 2.0 * out.y};
  const auto wing = [&](double side) {
    return Point{tip.x - 9.0 * out.x - side * 6.0 * out.y, tip.y - 9.0 * out.y + side * 6.0 * out.x};
  };
  figure_.primitives.push_back(Area{{tip, wing(1.0), wing(-1.0)}, role_of(family_of(point.op)), 1.0, Hatch::kNone});
}

void Drawing::points() {
  // Large ones first, so that small ones stay visible on top of them.
  std::vector<const RooflinePoint*> order;
  for (const auto& point : plot_.points)
    if (point.intensity > 0.0 && point.flops_per_s > 0.0) order.push_back(&point);
  std::ranges::stable_sort(order, [](const auto* a, const auto* b) { return a->share > b->share; });
  for (const auto* point : order) {
    if (on_chart(*point))
      figure_.primitives.push_back(Marker{clamped(*point), marker_size(*point), marker_shape(*point),
                                          MarkerFill::kFilled, role_of(family_of(point->op))});
    else
      edge_marker(*point, clamped(*point));
  }
}

// Hollow where the baseline lay, in the shape and colour of the point it became; an arrow only for changes outside noise.
void Drawing::ghosts() {
  for (const RooflineGhost& ghost : plot_.ghosts) {
    const auto point = std::ranges::find(plot_.points, ghost.datum, &RooflinePoint::datum);
    if (point == plot_.points.end() || !on_chart(*point) || !x_.contains(ghost.intensity) ||
        !y_.contains(ghost.flops_per_s))
      continue;
    const Role role = role_of(family_of(point->op));
    const Point from = at(ghost.intensity, ghost.flops_per_s);
    const Point to = clamped(*point);
    const double half = marker_size(*point) / 2.0;
    obstacles_.push_back({from.x - half, from.y - half, 2.0 * half, 2.0 * half});
    figure_.primitives.push_back(Marker{from, marker_size(*point), marker_shape(*point), MarkerFill::kHollow, role});
    if (ghost.change.empty()) continue;
    figure_.primitives.push_back(Line{from, to, {role, 1.25, Dash::kDashed}});
    changes_.push_back(
        {{(from.x + to.x) / 2.0, (from.y + to.y) / 2.0}, kArrowReach, ghost.change, kSmallFont, point->share - 1.0});
  }
}

void Drawing::point_labels() {
  const bool narrow = figure_.size.width < kNarrow;
  std::vector<LabelRequest> requests;
  for (const auto& point : plot_.points) {
    if (point.intensity <= 0.0 || point.flops_per_s <= 0.0) continue;
    requests.push_back({clamped(point), marker_size(point) / 2.0,
                        narrow ? fmt::format("{}", point.number) : marker_text(point), kLabelFont, point.share});
  }
  requests.insert(requests.end(), changes_.begin(), changes_.end());
  const auto placed = place_labels(requests, {frame_, obstacles_, avoided_, figure_.size.wording});
  for (std::size_t i = 0; i < placed.size(); ++i) {
    if (!placed[i]) continue;
    if (placed[i]->leader) figure_.primitives.push_back(*placed[i]->leader);
    figure_.primitives.push_back(Text{placed[i]->at, requests[i].text, Role::kText, requests[i].size, placed[i]->anchor,
                                      0.0, Weight::kRegular, Halo::kSurface});
  }
}

std::string tooltip(const RooflinePoint& point) {
  if (!point.facts.empty()) return point.facts;
  const OpSummary& op = point.summary;
  std::string text = fmt::format("{} {} · {}\n", point.number, point.label, point.where);
  text += fmt::format("{}, {} of the step, {}\n", format_time(op.time), format_percent(op.share),
                      counted(op.n_calls, "call", "calls"));
  text += fmt::format("{}\n", format(Measure::kIntensity, point.intensity));
  if (!op.verdict) return text + "measured time, counted work";
  text += fmt::format("{}, {} of the {} roof\n", format(Measure::kWorkRate, point.flops_per_s),
                      format_percent(op.verdict->utilisation.compute), display_name_of(op.verdict->load.dtype));
  text += fmt::format("{}, {} of {} bandwidth\n", format(Measure::kTraffic, op.cost.bytes().value),
                      format_percent(op.verdict->utilisation.memory), name_of(op.verdict->load.level));
  text += std::string(display_name_of(op.verdict->bound));
  if (op.verdict->reason != LatencyReason::kNone) text += ": " + latency_reason_text(*op.verdict);
  if (op.verdict->speedup_at_roof > 1.0)
    text += fmt::format("\nup to {} if at the roof", format_factor(op.verdict->speedup_at_roof));
  return text + "\nmeasured time, counted work";
}

void Drawing::hits() {
  for (const auto& point : plot_.points) {
    if (point.intensity <= 0.0 || point.flops_per_s <= 0.0) continue;
    const Point p = clamped(point);
    const double reach = std::max(marker_size(point) / 2.0 + 2.0, 9.0);
    figure_.primitives.push_back(HitBox{{p.x - reach, p.y - reach, 2.0 * reach, 2.0 * reach},
                                        point.datum,
                                        tooltip(point),
                                        Amount{point.summary.time.value, AmountUnit::kSeconds}});
  }
}

void Drawing::legend() {
  const Box area{frame_.x, frame_.bottom() + 48.0, figure_.size.width - 58.0, 0.0};
  draw_legend(figure_.primitives, area, legend_entries_, {kSmallFont, figure_.size.wording});
}

Figure Drawing::draw() {
  axes();
  bands();
  roofs();
  ridge();
  band_names();
  ghosts();
  points();
  point_labels();
  legend();
  hits();
  return std::move(figure_);
}

}  // namespace

figure::Figure roofline_figure(const RooflinePlot& plot, figure::Size size, std::string id) {
  return Drawing(plot, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
