#include <fmt/format.h>

#include <algorithm>

#include "core/figure/scale.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/memory_chart.h"
#include "core/viewmodel/memory_roles.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kFont = 12.0;
constexpr double kTop = 26.0;
constexpr double kBottom = 14.0;
constexpr double kLabelPitch = 17.0;  // two labels never touch
constexpr double kHeadroom = 1.06;

std::string gib(double bytes, Rounding rounding) {
  return format(Measure::kCapacity, bytes, rounding);
}

class Bar {
 public:
  Bar(const MemoryBar& bar, Size size, std::string id)
      : bar_(bar),
        total_(total_bytes(bar.segments).value),
        scale_(
            Scale::linear({0.0, kHeadroom * std::max({total_, bar.capacity_bytes, 1.0})}, size.height - kBottom, kTop)),
        box_{14.0, kTop, std::clamp(0.28 * size.width, 48.0, 120.0), size.height - kTop - kBottom} {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = "Memory of one device";
    figure_.description = fmt::format("{}: {} in all{}.", bar.title, gib(total_, Rounding::kUp), limit_text());
  }

  Figure draw() {
    segments();
    if (bar_.capacity_bytes > 0.0) limits();
    heading();
    return std::move(figure_);
  }

 private:
  std::string limit_text() const {
    if (bar_.budget_bytes <= 0.0) return "";
    const double spare = bar_.budget_bytes - total_;
    return spare >= 0.0
               ? fmt::format(", {} spare of {}", gib(spare, Rounding::kDown), gib(bar_.budget_bytes, Rounding::kDown))
               : fmt::format(", {} over {}", gib(-spare, Rounding::kUp), gib(bar_.budget_bytes, Rounding::kDown));
  }

  void text(Point at, std::string words, Role role, figure::Weight weight = figure::Weight::kRegular) {
    figure_.primitives.push_back(Text{
        .at = at, .text = std::move(words), .role = role, .size = kFont, .weight = weight, .halo = Halo::kSurface});
  }

  void segments() {
    double from = 0.0;
    double label_y = figure_.size.height;  // labels go upwards with the bar
    for (const MemorySegment& segment : bar_.segments) {
      const double to = from + segment.bytes.value;
      const double y = scale_.position(to);
      const Box box{box_.x, y, box_.width, std::max(scale_.position(from) - y - 1.0, 0.5)};
      const SegmentLook look = look_of_segment(segment.name);
      figure_.primitives.push_back(Rect{box, look.role, kSegmentOpacity, look.hatch});
      label_y = std::min(label_y - kLabelPitch, box.y + box.height / 2 + 4.0);
      label(segment, box, label_y);
      figure_.primitives.push_back(
          HitBox{{box.x, box.y, figure_.size.width - box.x, std::max(box.height, kLabelPitch)},
                 segment.name,
                 fmt::format("{}\n{}\n{}\n{}", segment.name, gib(segment.bytes.value, Rounding::kUp), segment.formula,
                             name_of(segment.origin))});
      from = to;
    }
  }

  void label(const MemorySegment& segment, const Box& box, double y) {
    const double x = box_.right() + 14.0;
    const std::string mark = segment.origin == Origin::kEstimated ? "≈" : "";
    figure_.primitives.push_back(Line{{box.right(), box.y + box.height / 2}, {x - 3.0, y - 4.0}, {Role::kGrid, 1.0}});
    text({x, y}, fmt::format("{} {}{}", segment.name, mark, gib(segment.bytes.value, Rounding::kUp)), Role::kText);
  }

  void limit(double bytes, Dash dash) {
    const double y = scale_.position(bytes);
    figure_.primitives.push_back(Line{{box_.x - 8.0, y}, {box_.right() + 8.0, y}, {Role::kText, 1.5, dash}});
  }

  void limits() {
    limit(bar_.capacity_bytes, Dash::kSolid);
    if (bar_.budget_bytes < bar_.capacity_bytes) limit(bar_.budget_bytes, Dash::kDashed);
    const double x = box_.right() + 14.0;
    const double y = std::max(scale_.position(bar_.capacity_bytes) - 6.0, kTop + 2.0);
    text({x, y}, fmt::format("capacity {}", gib(bar_.capacity_bytes, Rounding::kDown)), Role::kMuted);
    if (bar_.budget_bytes < bar_.capacity_bytes)
      text({x, y + kLabelPitch}, fmt::format("budget {}", gib(bar_.budget_bytes, Rounding::kDown)), Role::kMuted);
  }

  void heading() {
    const double spare = bar_.budget_bytes - total_;
    const std::string state = bar_.budget_bytes <= 0.0 ? gib(total_, Rounding::kUp) + " in all"
                              : spare >= 0.0           ? gib(spare, Rounding::kDown) + " spare"
                                                       : gib(-spare, Rounding::kUp) + " short";
    text({box_.x, 15.0}, state, Role::kText, figure::Weight::kBold);
  }

  const MemoryBar& bar_;
  double total_;
  Scale scale_;
  Box box_;
  Figure figure_;
};

}  // namespace

figure::Figure memory_bar_figure(const MemoryBar& bar, figure::Size size, std::string id) {
  return Bar(bar, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
