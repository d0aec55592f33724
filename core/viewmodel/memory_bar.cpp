#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "core/figure/labels.h"
#include "core/figure/scale.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/memory_chart.h"
#include "core/viewmodel/memory_roles.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kMemoryFont = 12.0;
constexpr double kMemoryTop = 26.0;
constexpr double kMemoryBottom = 14.0;
constexpr double kLabelPitch = 17.0;  // two labels never touch
constexpr double kHeadroom = 1.06;
constexpr double kLabelGap = 14.0;  // between the bar and its names

std::string gib_text(double bytes, Rounding rounding) {
  return format(Measure::kCapacity, bytes, rounding);
}

class Bar {
 public:
  Bar(const MemoryBar& bar, Size size, std::string id)
      : bar_(bar),
        total_(total_bytes(bar.segments).value),
        scale_(Scale::linear({0.0, kHeadroom * std::max({total_, bar.capacity_bytes, 1.0})},
                             size.height - kMemoryBottom, kMemoryTop)),
        box_{14.0, kMemoryTop, bar_width(bar, size), size.height - kMemoryTop - kMemoryBottom} {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = "Memory of one device";
    figure_.description = fmt::format("{}: {} in all{}.", bar.title, gib_text(total_, Rounding::kUp), limit_text());
  }

  Figure draw() {
    segments();
    if (bar_.capacity_bytes > 0.0) limits();
    labels();
    heading();
    return std::move(figure_);
  }

 private:
  static std::string label_of(const MemorySegment& segment) {
    const std::string mark = segment.origin == Origin::kEstimated ? "≈\u00a0" : "";
    return fmt::format("{} {}{}", segment.name, mark, gib_text(segment.bytes.value, Rounding::kUp));
  }

  /// As wide as the names beside it leave room for.
  static double bar_width(const MemoryBar& bar, Size size) {
    double longest = 0.0;
    for (const MemorySegment& segment : bar.segments)
      longest = std::max(longest, text_width(label_of(segment), kMemoryFont, size.wording));
    const double room = size.width - kLabelGap - longest - 16.0;
    return std::clamp(std::min(0.28 * size.width, room), 16.0, 120.0);
  }

  std::string limit_text() const {
    if (bar_.budget_bytes <= 0.0) return "";
    const double spare = bar_.budget_bytes - total_;
    return spare >= 0.0 ? fmt::format(", {} spare of {}", gib_text(spare, Rounding::kDown),
                                      gib_text(bar_.budget_bytes, Rounding::kDown))
                        : fmt::format(", {} over {}", gib_text(-spare, Rounding::kUp),
                                      gib_text(bar_.budget_bytes, Rounding::kDown));
  }

  void text(Point at, std::string words, Role role, figure::Weight weight = figure::Weight::kRegular) {
    figure_.primitives.push_back(Text{.at = at,
                                      .text = std::move(words),
                                      .role = role,
                                      .size = kMemoryFont,
                                      .weight = weight,
                                      .halo = Halo::kSurface});
  }

  /// A name beside the bar, wanted at `y`; a leader ties it to `from` where it belongs to a segment.
  struct Label {
    double y = 0.0;
    std::string text;
    Role role = Role::kText;
    std::optional<Point> from;
  };

  void segments() {
    double from = 0.0;
    for (const MemorySegment& segment : bar_.segments) {
      const double to = from + segment.bytes.value;
      const double y = scale_.position(to);
      const Box box{box_.x, y, box_.width, std::max(scale_.position(from) - y - 1.0, 0.5)};
      const SegmentLook look = look_of_segment(segment.name);
      figure_.primitives.push_back(Rect{box, look.role, kSegmentOpacity, look.hatch});
      labels_.push_back(
          {box.y + box.height / 2 + 4.0, label_of(segment), Role::kText, Point{box.right(), box.y + box.height / 2}});
      figure_.primitives.push_back(
          HitBox{{box.x, box.y, figure_.size.width - box.x, std::max(box.height, kLabelPitch)},
                 segment.name,
                 fmt::format("{}\n{}\n{}\n{}", segment.name, gib_text(segment.bytes.value, Rounding::kUp),
                             segment.formula, name_of(segment.origin)),
                 Amount{segment.bytes.value, AmountUnit::kBytes}});
      from = to;
    }
  }

  void limit(double bytes, std::string_view name, Dash dash) {
    const double y = scale_.position(bytes);
    figure_.primitives.push_back(Line{{box_.x - 8.0, y}, {box_.right() + 8.0, y}, {Role::kText, 1.5, dash}});
    labels_.push_back({y + 4.0, fmt::format("{} {}", name, gib_text(bytes, Rounding::kDown)), Role::kMuted, {}});
  }

  void limits() {
    limit(bar_.capacity_bytes, "capacity", Dash::kSolid);
    if (bar_.budget_bytes < bar_.capacity_bytes) limit(bar_.budget_bytes, "budget", Dash::kDashed);
  }

  /// Labels keep their order and a pitch apart: pushed up from below, then down again where the heading stands.
  void labels() {
    std::ranges::stable_sort(labels_, std::greater{}, &Label::y);
    double free = figure_.size.height - 2.0;
    for (Label& label : labels_) free = (label.y = std::min(label.y, free)) - kLabelPitch;
    double taken = kMemoryTop + 4.0 - kLabelPitch;
    for (auto label = labels_.rbegin(); label != labels_.rend(); ++label)
      taken = label->y = std::max(label->y, taken + kLabelPitch);
    const double x = box_.right() + kLabelGap;
    for (Label& label : labels_) {
      if (label.from) figure_.primitives.push_back(Line{*label.from, {x - 3.0, label.y - 4.0}, {Role::kGrid, 1.0}});
      text({x, label.y}, std::move(label.text), label.role);
    }
  }

  void heading() {
    const double spare = bar_.budget_bytes - total_;
    const std::string state = bar_.budget_bytes <= 0.0 ? gib_text(total_, Rounding::kUp) + " in all"
                              : spare >= 0.0           ? gib_text(spare, Rounding::kDown) + " spare"
                                                       : gib_text(-spare, Rounding::kUp) + " short";
    text({box_.x, 15.0}, state, Role::kText, figure::Weight::kBold);
  }

  const MemoryBar& bar_;
  double total_;
  Scale scale_;
  Box box_;
  std::vector<Label> labels_;
  Figure figure_;
};

}  // namespace

figure::Figure memory_bar_figure(const MemoryBar& bar, figure::Size size, std::string id) {
  return Bar(bar, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
