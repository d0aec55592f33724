#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/memory_chart.h"
#include "core/viewmodel/memory_roles.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kFont = 11.5;
constexpr double kTickFont = 11.0;
constexpr double kLeft = 56.0;
constexpr double kRight = 18.0;
constexpr double kTop = 34.0;
constexpr double kBottom = 50.0;
constexpr double kLegendMargin = 12.0;
constexpr double kLegendLine = 24.0;  // before the text of an entry
constexpr double kLabelPitch = 16.0;
constexpr double kTickRoom = 64.0;  // "131,072" and a gap

/// Needs round up, as everywhere.
std::string gib(double bytes, Rounding rounding = Rounding::kUp) {
  return format(Measure::kCapacity, bytes, rounding);
}

double total_at(const ContextChart& chart, std::size_t context) {
  double sum = 0.0;
  for (const auto& segment : chart.bytes) sum += segment[context];
  return sum;
}

double highest(const ContextChart& chart) {
  double most = std::max(chart.capacity_bytes, 1.0);
  // A model that is far too large for the device must not press the device's line to the floor.
  const double ceiling = chart.capacity_bytes > 0.0 ? 2.5 * chart.capacity_bytes : HUGE_VAL;
  for (std::size_t i = 0; i < chart.contexts.size(); ++i) most = std::max(most, std::min(total_at(chart, i), ceiling));
  return 1.08 * most;
}

class Drawing {
 public:
  Drawing(const ContextChart& chart, Size size, std::string id, CapacityUnits units)
      : chart_(chart),
        legend_(legend(size)),
        legend_rows_(legend_rows(legend_, size.width - 2 * kLegendMargin, {kFont, size.wording})),
        frame_{kLeft, kTop, size.width - kLeft - kRight,
               std::max(size.height - kTop - kBottom - legend_rows_ * kLegendRowHeight, 40.0)},
        top_(highest(chart)),
        unit_(unit_for(units == CapacityUnits::kIec ? Measure::kCapacity : Measure::kTraffic, top_)),
        x_(Scale::log({static_cast<double>(chart.contexts.front()), static_cast<double>(chart.contexts.back())},
                      frame_.x, frame_.right())),
        y_(Scale::linear({0.0, top_ / unit_.base}, frame_.bottom(), frame_.y)) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = "Memory over context length";
    figure_.description = description();
  }

  Figure draw() {
    axes();
    areas();
    alternatives();
    limits();
    markers();
    // Over every line, so that none strikes a word through.
    for (Text& label : labels_) figure_.primitives.emplace_back(std::move(label));
    hits();
    draw_legend(figure_.primitives,
                {kLegendMargin, frame_.bottom() + kBottom, figure_.size.width - 2 * kLegendMargin,
                 legend_rows_ * kLegendRowHeight},
                legend_, {kFont, figure_.size.wording});
    return std::move(figure_);
  }

 private:
  std::string description() const {
    std::string text =
        fmt::format("{}: from {} at {} tokens to {} at {}", chart_.title, gib(total_at(chart_, 0)),
                    format_count(chart_.contexts.front()), gib(total_at(chart_, chart_.contexts.size() - 1)),
                    format_count(chart_.contexts.back()));
    if (chart_.fits_up_to) text += fmt::format("; fits up to {} tokens", format_count(*chart_.fits_up_to));
    return text + ".";
  }

  /// Where there is no room for more, lines are named by their cache alone.
  std::vector<LegendEntry> legend(const Size& size) const {
    std::vector<LegendEntry> entries;
    for (const std::string& name : chart_.names)
      entries.push_back({name, look_of_segment(name).role, MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
    for (std::size_t i = 0; i < chart_.alternatives.size(); ++i) {
      const std::string& label = chart_.alternatives[i].label;
      const std::string whole = "in all with " + label;
      const bool fits = text_width(whole, kFont, size.wording) + kLegendLine < size.width - 2 * kLegendMargin;
      entries.push_back({fits ? whole : label, role_of_alternative(i), MarkerShape::kCircle, MarkerFill::kFilled, 0.0});
    }
    return entries;
  }

  static Role role_of_alternative(std::size_t i) {
    constexpr Role kRoles[] = {Role::kSeries6, Role::kSeries4, Role::kText};
    return kRoles[i % std::size(kRoles)];
  }

  /// Powers of two, as many as the axis has room for.
  void axes() {
    const Scale nothing = Scale::linear({0.0, 1.0}, frame_.x, frame_.right());
    draw_axes(figure_.primitives, frame_, {nothing, "Context, tokens", [](double) { return std::string(); }, 1},
              {y_, std::string(unit_.text), [](double v) { return fmt::format("{:g}", v); }, 5});
    const int from = static_cast<int>(std::ceil(std::log2(chart_.contexts.front()) - 1e-9));
    const int to = static_cast<int>(std::floor(std::log2(chart_.contexts.back()) + 1e-9));
    const int every = std::max(1, static_cast<int>(std::ceil((to - from + 1) * kTickRoom / frame_.width)));
    for (int power = from; power <= to; power += every) {
      const double x = x_.position(std::exp2(power));
      figure_.primitives.push_back(Line{{x, frame_.bottom()}, {x, frame_.bottom() + 5}, {Role::kAxis, 1.0}});
      const std::string text = format_count(static_cast<std::int64_t>(1) << power);
      const bool overhangs = x + text_width(text, kTickFont) / 2 > figure_.size.width;
      figure_.primitives.push_back(Text{{overhangs ? figure_.size.width - 1.0 : x, frame_.bottom() + 18},
                                        text,
                                        Role::kMuted,
                                        kTickFont,
                                        overhangs ? Anchor::kEnd : Anchor::kMiddle});
    }
  }

  double y_at(double bytes) const { return y_.position(std::clamp(bytes, 0.0, top_) / unit_.base); }

  void areas() {
    std::vector<double> below(chart_.contexts.size(), 0.0);
    for (std::size_t s = 0; s < chart_.bytes.size(); ++s) {
      Area area;
      for (std::size_t i = 0; i < below.size(); ++i)
        area.outline.push_back({x_.position(chart_.contexts[i]), y_at(below[i] + chart_.bytes[s][i])});
      for (std::size_t i = below.size(); i-- > 0;)
        area.outline.push_back({x_.position(chart_.contexts[i]), y_at(below[i])});
      const SegmentLook look = look_of_segment(chart_.names[s]);
      area.role = look.role;
      area.opacity = kSegmentOpacity;
      area.hatch = look.hatch;
      figure_.primitives.emplace_back(std::move(area));
      for (std::size_t i = 0; i < below.size(); ++i) below[i] += chart_.bytes[s][i];
    }
  }

  void alternatives() {
    for (std::size_t a = 0; a < chart_.alternatives.size(); ++a) {
      Polyline line{{}, {role_of_alternative(a), 1.5, Dash::kDotted}};
      for (std::size_t i = 0; i < chart_.contexts.size(); ++i)
        line.points.push_back({x_.position(chart_.contexts[i]), y_at(chart_.alternatives[a].total_bytes[i])});
      figure_.primitives.emplace_back(std::move(line));
    }
  }

  void limit(double bytes, const std::string& name, Dash dash) {
    const double y = y_at(bytes);
    figure_.primitives.push_back(Line{{frame_.x, y}, {frame_.right(), y}, {Role::kText, 1.5, dash}});
    labels_.push_back(Text{.at = {frame_.x + 6.0, y + (dash == Dash::kSolid ? -5.0 : 14.0)},
                           .text = fmt::format("{} {}", name, gib(bytes, Rounding::kDown)),
                           .role = Role::kText,
                           .size = kFont,
                           .halo = Halo::kSurface});
  }

  void limits() {
    if (chart_.capacity_bytes <= 0.0) return;
    limit(chart_.capacity_bytes, "capacity", Dash::kSolid);
    if (chart_.budget_bytes < chart_.capacity_bytes) limit(chart_.budget_bytes, "budget", Dash::kDashed);
  }

  Box box_of(const Text& label) const {
    const double width = text_width(label.text, kFont, figure_.size.wording);
    return {label.anchor == Anchor::kEnd ? label.at.x - width : label.at.x, label.at.y - kFont, width, kLabelPitch};
  }

  /// Its label at `y`, or further down where another one lies there.
  void marker(int tokens, const std::string& text, Stroke stroke, double y) {
    if (tokens < chart_.contexts.front() || tokens > chart_.contexts.back()) return;
    const double x = x_.position(tokens);
    figure_.primitives.push_back(Line{{x, frame_.y}, {x, frame_.bottom()}, stroke});
    if (text.empty()) return;
    const bool right_half = x > frame_.x + frame_.width / 2;
    const double width = text_width(text, kFont, figure_.size.wording);
    const double left = right_half ? x - 6.0 - width : x + 6.0;
    while (std::ranges::any_of(labels_, [&](const Text& label) {
      return box_of(label).overlaps({left, y - kFont, width, kLabelPitch});
    }))
      y += kLabelPitch;
    labels_.push_back(Text{.at = {x + (right_half ? -6.0 : 6.0), y},
                           .text = text,
                           .role = Role::kText,
                           .size = kFont,
                           .anchor = right_half ? Anchor::kEnd : Anchor::kStart,
                           .halo = Halo::kSurface});
  }

  void markers() {
    const double y = frame_.y + 14.0;
    if (chart_.fits_up_to && *chart_.fits_up_to < chart_.trained_limit)
      marker(*chart_.fits_up_to, fmt::format("fits up to {} tokens", format_count(*chart_.fits_up_to)),
             {Role::kCompute, 2.0}, y);
    marker(chart_.trained_limit, "trained limit", {Role::kMuted, 1.0, Dash::kDashed}, frame_.y + frame_.height / 2);
    marker(chart_.current, "", {Role::kMemory, 1.5, Dash::kDotted}, y);
  }

  /// One hit box a sample, as wide as half the way to its neighbours.
  void hits() {
    for (std::size_t i = 0; i < chart_.contexts.size(); ++i) {
      const double x = x_.position(chart_.contexts[i]);
      const double from = i == 0 ? x : (x + x_.position(chart_.contexts[i - 1])) / 2;
      const double to = i + 1 == chart_.contexts.size() ? x : (x + x_.position(chart_.contexts[i + 1])) / 2;
      std::string facts =
          fmt::format("{} tokens\n{} in all", format_count(chart_.contexts[i]), gib(total_at(chart_, i)));
      for (std::size_t s = chart_.names.size(); s-- > 0;)
        facts += fmt::format("\n{}: {}", chart_.names[s], gib(chart_.bytes[s][i]));
      figure_.primitives.push_back(HitBox{{from, frame_.y, std::max(to - from, 1.0), frame_.height},
                                          fmt::format("{}", chart_.contexts[i]),
                                          std::move(facts),
                                          Amount{total_at(chart_, i), AmountUnit::kBytes}});
    }
  }

  const ContextChart& chart_;
  std::vector<LegendEntry> legend_;
  int legend_rows_;
  Box frame_;
  double top_;
  Unit unit_;
  Scale x_;
  Scale y_;
  std::vector<Text> labels_;
  Figure figure_;
};

}  // namespace

figure::Figure context_chart_figure(const ContextChart& chart, figure::Size size, std::string id, CapacityUnits units) {
  if (chart.contexts.size() < 2) throw Error(ErrorKind::kFailure, "context chart", "needs at least two contexts.");
  return Drawing(chart, size, std::move(id), units).draw();
}

}  // namespace dachlast::viewmodel
