// Draws changes against a baseline: a row a point, a dot a run, whiskers for the noise.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/compare_many.h"
#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kRowFont = 11.5;
constexpr double kLeastPitch = 18.0;
constexpr double kMostPitch = 42.0;
constexpr double kDot = 9.0;
constexpr double kLeastReach = 0.05;  // changes of a few percent must not look like landslides

Role role_of_run(int run) {
  return static_cast<Role>(static_cast<int>(Role::kSeries1) + run % 6);
}

MarkerShape shape_of_run(int run) {
  return run % 2 == 0 ? MarkerShape::kCircle : MarkerShape::kSquare;
}

/// The largest change or whisker, so that the axis is symmetrical around no change.
double reach_of(const CompareMany& view) {
  double reach = kLeastReach;
  for (const ChangeRow& row : view.changes)
    for (const ChangeMark& mark : row.marks)
      reach = std::max(reach, std::abs(mark.time.change) + mark.time.noise.value_or(0.0));
  return 1.08 * reach;
}

std::vector<LegendEntry> change_legend(const CompareMany& view) {
  std::vector<LegendEntry> entries;
  for (std::size_t i = 0; i < view.names.size(); ++i) {
    const int run = static_cast<int>(i);
    entries.push_back({view.names[i], role_of_run(run), shape_of_run(run), MarkerFill::kFilled, kDot});
  }
  entries.push_back({"within noise", Role::kMuted, MarkerShape::kCircle, MarkerFill::kHollow, kDot});
  return entries;
}

std::string tick_text(double value) {
  return std::abs(value) < 1e-9 ? std::string("0 %")
                                : fmt::format("{}{:g} %", value > 0.0 ? "+" : "−", std::abs(value));
}

class ChangeDrawing {
 public:
  ChangeDrawing(const CompareMany& view, Size size, std::string id)
      : view_(view),
        legend_(change_legend(view)),
        frame_(frame_of(size)),
        n_rows_(std::min(view.changes.size(), static_cast<std::size_t>(std::max(frame_.height / kLeastPitch, 1.0)))),
        x_(Scale::linear({-100.0 * reach_of(view), 100.0 * reach_of(view)}, frame_.x, frame_.right())) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = "Change of time against the baseline";
    figure_.description = description();
  }

  Figure draw() {
    axis();
    for (std::size_t i = 0; i < n_rows_; ++i) row(view_.changes[i], y_of(i));
    draw_legend(figure_.primitives, {frame_.x, 4.0, frame_.width, kLegendRowHeight}, legend_,
                {kRowFont, figure_.size.wording});
    if (n_rows_ < view_.changes.size())
      figure_.primitives.push_back(Text{
          {frame_.right(), figure_.size.height - 6.0},
          fmt::format("{} more in the table", format_count(static_cast<std::int64_t>(view_.changes.size() - n_rows_))),
          Role::kMuted,
          kRowFont,
          Anchor::kEnd});
    return std::move(figure_);
  }

 private:
  Box frame_of(Size size) const {
    double label = 0.0;
    for (const ChangeRow& row : view_.changes) label = std::max(label, text_width(row.heading, kRowFont, size.wording));
    const double left = std::min(label + 16.0, 0.45 * size.width);
    const double top =
        12.0 + kLegendRowHeight * legend_rows(legend_, size.width - left - 24.0, {kRowFont, size.wording});
    return {left, top, std::max(size.width - left - 24.0, 40.0), std::max(size.height - top - 46.0, kLeastPitch)};
  }

  double pitch() const {
    return std::clamp(frame_.height / static_cast<double>(std::max<std::size_t>(n_rows_, 1)), kLeastPitch, kMostPitch);
  }
  double y_of(std::size_t row) const { return frame_.y + (static_cast<double>(row) + 0.5) * pitch(); }
  double bottom() const { return frame_.y + static_cast<double>(n_rows_) * pitch(); }

  void axis() {
    for (const Tick& tick : x_.ticks(6)) {
      if (!tick.major) continue;
      const double x = x_.position(tick.value);
      figure_.primitives.push_back(Line{{x, frame_.y}, {x, bottom()}, {Role::kGrid, 1.0}});
      figure_.primitives.push_back(
          Text{{x, bottom() + 16.0}, tick_text(tick.value), Role::kMuted, 11.0, Anchor::kMiddle});
    }
    const double zero = x_.position(0.0);
    figure_.primitives.push_back(Line{{zero, frame_.y}, {zero, bottom()}, {Role::kAxis, 1.5}});
    figure_.primitives.push_back(Text{{zero - 8.0, bottom() + 34.0}, "← faster", Role::kText, kRowFont, Anchor::kEnd});
    figure_.primitives.push_back(Text{{zero + 8.0, bottom() + 34.0}, "slower →", Role::kText, kRowFont});
  }

  void row(const ChangeRow& row, double y) {
    figure_.primitives.push_back(Text{{frame_.x - 10.0, y + 4.0}, row.heading, Role::kText, kRowFont, Anchor::kEnd});
    const double n = static_cast<double>(row.marks.size());
    for (std::size_t i = 0; i < row.marks.size(); ++i)
      mark(row, row.marks[i], y + (static_cast<double>(i) - (n - 1.0) / 2.0) * std::min(kDot, pitch() / (n + 1.0)));
  }

  void mark(const ChangeRow& row, const ChangeMark& mark, double y) {
    const bool noise = !is_change(mark.time.verdict);
    const Role role = noise ? Role::kMuted : role_of_run(mark.run);
    const double x = x_.position(100.0 * mark.time.change);
    if (mark.time.noise) {
      const double half = x_.position(100.0 * *mark.time.noise) - x_.position(0.0);
      figure_.primitives.push_back(Line{{x - half, y}, {x + half, y}, {role, 1.25}});
    }
    figure_.primitives.push_back(
        Marker{{x, y}, kDot, shape_of_run(mark.run), noise ? MarkerFill::kHollow : MarkerFill::kFilled, role});
    figure_.primitives.push_back(HitBox{{x - 8.0, y - 8.0, 16.0, 16.0},
                                        fmt::format("{}|{}", row.heading, mark.run),
                                        tooltip(row, mark),
                                        Amount{mark.time.other.value, AmountUnit::kSeconds}});
  }

  std::string tooltip(const ChangeRow& row, const ChangeMark& mark) const {
    return fmt::format(
        "{}\n{}\n{} → {}, {}\nnoise {}{}", view_.names[static_cast<std::size_t>(mark.run)], row.heading,
        format_time(mark.time.base), format_time(mark.time.other), format_change(mark.time.change),
        mark.time.noise ? "±" + format_percent(*mark.time.noise) : std::string("unknown: too few repeats"),
        mark.time.verdict == ChangeVerdict::kWithinNoise ? ": within noise" : "");
  }

  std::string description() const {
    std::string text = "Dots, one row per measured point: change of time against the baseline.";
    for (const ChangeRow& row : view_.changes)
      for (const ChangeMark& mark : row.marks)
        text += fmt::format(" {}, {}: {}.", row.heading, view_.names[static_cast<std::size_t>(mark.run)],
                            format_change(mark.time.change));
    return text;
  }

  const CompareMany& view_;
  Figure figure_;
  std::vector<LegendEntry> legend_;
  Box frame_;
  std::size_t n_rows_;
  Scale x_;
};

}  // namespace

figure::Figure change_figure(const CompareMany& view, figure::Size size, std::string id) {
  return ChangeDrawing(view, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
