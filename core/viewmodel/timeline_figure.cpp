// Draws a window of recorded time: steps, layers, operations, a strip a run.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/timeline.h"
#include "core/viewmodel/timeline_events.h"
#include "core/viewmodel/timeline_levels.h"

namespace dachlast::viewmodel {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

constexpr double kTimelineFont = 11.5;
constexpr double kTimelineLeft = 96.0;
constexpr double kTimelineRight = 40.0;  // half of the last tick's label
constexpr double kTimelineTop = 10.0;
constexpr double kAxisRoom = 46.0;
constexpr double kMostRow =
    90.0;  // from 96 pixel rows on Qt 6 hands every single fill to its thread pool and waits for it
constexpr double kRowGap = 8.0;
constexpr double kStripGap = 12.0;
constexpr double kStripHead = 18.0;  // its name
constexpr double kLeastHit = 3.0;    // a narrower bar nobody can point at
constexpr double kTwoLines = 30.0;   // a row that has room for its name and its most
constexpr double kFaint = 0.22;
constexpr double kSmallBase = 0.30;  // of a column that holds hardly any time, so that it is seen at all

class TimelineDrawing {
 public:
  TimelineDrawing(std::span<const TimelineStrip> strips, const figure::Interval& window,
                  std::span<const OpFilter> filters, Size size, std::string id)
      : strips_(strips),
        filters_(filters),
        size_(size),
        frame_(frame_of(size)),
        unit_(unit_for(Measure::kTime, 1e-9 * std::max(std::abs(window.lo), std::abs(window.hi)))),
        x_(Scale::linear(window, frame_.x, frame_.right())),
        rows_(rows_in(strips)),
        levels_(levels_of(strips)) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = "Timeline";
    figure_.description = description();
    frame_.height = std::min(frame_.height, most_height());
    figure_.plane = Plane{frame_, x_, Scale::linear({0.0, 1.0}, frame_.bottom(), frame_.y)};
    note_passing();
  }

  Figure draw() {
    axis();
    for (std::size_t i = 0; i < strips_.size(); ++i) strip(i);
    legend();
    return std::move(figure_);
  }

 private:
  static Box frame_of(Size size) {
    return {kTimelineLeft, kTimelineTop, std::max(size.width - kTimelineLeft - kTimelineRight, 40.0),
            std::max(size.height - kTimelineTop - kAxisRoom - legend_height(size), 60.0)};
  }

  /// Room for every family there is: which ones are drawn changes while the window moves, the frame must not.
  static double legend_height(Size size) {
    std::vector<LegendEntry> all;  // those of recordings are shorter
    for (int family = 0; family < kOpFamilyCount; ++family)
      all.push_back({.text = std::string(name_of(static_cast<OpFamily>(family)))});
    return kLegendRowHeight * legend_rows(all, size.width - 16.0, {kTimelineFont, size.wording});
  }

  double strip_height() const {
    const auto n = static_cast<double>(std::max<std::size_t>(strips_.size(), 1));
    return (frame_.height - (n - 1.0) * kStripGap) / n;
  }
  /// What the chart's zero is.
  std::string_view axis_name() const {
    const bool steps = strips_.empty() || strips_.front().timeline->steps.size() > 0;
    return steps ? "Time since the step began" : "Time since the recording began";
  }

  /// Those that any strip has events for, so that rows of all lie alike; of runs phases and operations always.
  static std::vector<EventRow> rows_in(std::span<const TimelineStrip> strips) {
    std::vector<EventRow> rows;
    for (const EventRow row : kAllEventRows)
      if (std::ranges::any_of(strips, [&](const auto& strip) {
            const bool always = !strip.timeline->gpu && (row == EventRow::kSteps || row == EventRow::kOps);
            return always || row_of(*strip.timeline, row).size() > 0;
          }))
        rows.push_back(row);
    return rows;
  }

  using MakeLevel = LevelRow (*)(const Timeline&);
  /// The levels that any strip has, likewise.
  static std::vector<std::vector<LevelRow>> levels_of(std::span<const TimelineStrip> strips) {
    std::vector<std::vector<LevelRow>> levels(strips.size());
    for (const MakeLevel make : {memory_level_row, kv_level_row, clock_level_row, power_level_row}) {
      std::vector<LevelRow> made;
      for (const TimelineStrip& strip : strips) made.push_back(make(*strip.timeline));
      if (std::ranges::all_of(made, [](const LevelRow& level) { return level.pieces.empty(); })) continue;
      for (std::size_t i = 0; i < strips.size(); ++i) levels[i].push_back(std::move(made[i]));
    }
    return levels;
  }

  int n_rows() const { return static_cast<int>(rows_.size() + (levels_.empty() ? 0 : levels_.front().size())); }
  /// Rows grow no further: the axis stands below the last one.
  double most_height() const {
    const auto n = static_cast<double>(std::max<std::size_t>(strips_.size(), 1));
    return n * (kStripHead + n_rows() * (kMostRow + kRowGap)) + (n - 1.0) * kStripGap;
  }
  double row_height() const { return std::min((strip_height() - kStripHead) / n_rows() - kRowGap, kMostRow); }
  /// On whole pixels, as bars are: what lies on them is filled at once, without smoothing.
  Box row_box(std::size_t strip, int row) const {
    const double top = frame_.y + static_cast<double>(strip) * (strip_height() + kStripGap) + kStripHead;
    return {frame_.x, std::round(top + row * (row_height() + kRowGap)), frame_.width,
            std::round(std::max(row_height(), 6.0))};
  }

  // Whether a span of an operation passes is asked thousands of times a frame: answered once for each kind.
  void note_passing() {
    for (const Phase phase : {Phase::kPrefill, Phase::kDecode})
      for (int op = 0; op < kOpKindCount; ++op)
        passes_[static_cast<std::size_t>(phase)][static_cast<std::size_t>(op)] =
            passes(filters_, op_datum(phase, static_cast<OpKind>(op)));
  }
  bool passing(const trace::Span& span) const {
    return passes_[static_cast<std::size_t>(span.phase)][static_cast<std::size_t>(span.op)];
  }

  void axis() {
    const auto text = [&](double ns) {
      const double value = 1e-9 * ns / unit_.base;
      return std::abs(value) < 1e-12 ? std::string("0") : fmt::format("{:.6g}", value);
    };
    for (const Tick& tick : x_.ticks(8)) {
      const double x = x_.position(tick.value);
      figure_.primitives.push_back(Line{{x, frame_.y}, {x, frame_.bottom() + 4.0}, {Role::kGrid, 1.0}});
      figure_.primitives.push_back(
          Text{{x, frame_.bottom() + 17.0}, text(tick.value), Role::kMuted, 11.0, Anchor::kMiddle});
    }
    figure_.primitives.push_back(
        Line{{frame_.x, frame_.bottom()}, {frame_.right(), frame_.bottom()}, {Role::kAxis, 1.0}});
    figure_.primitives.push_back(Text{{frame_.x + frame_.width / 2.0, frame_.bottom() + 36.0},
                                      fmt::format("{}, {}", axis_name(), unit_.text),
                                      Role::kText,
                                      12.0,
                                      Anchor::kMiddle});
  }

  figure::Interval window_of(const TimelineStrip& strip) const {
    const auto origin = static_cast<double>(strip.origin_ns);
    return {x_.domain().lo + origin, x_.domain().hi + origin};
  }

  void strip(std::size_t index) {
    const TimelineStrip& strip = strips_[index];
    if (!strip.name.empty())
      figure_.primitives.push_back(Text{{frame_.x, row_box(index, 0).y - 5.0},
                                        strip.name,
                                        Role::kMuted,
                                        kTimelineFont,
                                        Anchor::kStart,
                                        0.0,
                                        Weight::kBold});
    int number = 0;
    for (const EventRow events : rows_) row(index, number++, events);
    for (const LevelRow& held : levels_[index]) level(index, number++, held);
  }

  void level(std::size_t index, int number, const LevelRow& row) {
    const Box box = row_box(index, number);
    const bool tall = box.height >= kTwoLines;
    const double middle = box.y + box.height / 2.0 + 4.0;
    figure_.primitives.push_back(
        Text{{frame_.x - 10.0, tall ? middle - 7.0 : middle}, row.name, Role::kText, kTimelineFont, Anchor::kEnd});
    if (tall && !row.most.empty())
      figure_.primitives.push_back(Text{{frame_.x - 10.0, middle + 7.0}, row.most, Role::kMuted, 11.0, Anchor::kEnd});
    if (row.pieces.empty())  // the other strip has it
      figure_.primitives.push_back(Text{{frame_.x + 6.0, middle}, "not recorded", Role::kMuted, 11.0, Anchor::kStart});
    draw_level(figure_.primitives, row, window_of(strips_[index]), box);
  }

  void row(std::size_t strip, int number, EventRow events) {
    const Box box = row_box(strip, number);
    figure_.primitives.push_back(Text{{frame_.x - 10.0, box.y + box.height / 2.0 + 4.0},
                                      std::string(name_of(events)),
                                      Role::kText,
                                      kTimelineFont,
                                      Anchor::kEnd});
    const int columns = std::max(static_cast<int>(frame_.width), 1);
    const Timeline& timeline = *strips_[strip].timeline;
    if (events == EventRow::kKernels && timeline.gpu) launch_gaps(strip, timeline.gpu->launch_gaps, box);
    for (const TimelineBar& bar : bars_of(row_of(timeline, events), window_of(strips_[strip]), columns))
      this->bar(strip, events, bar,
                {frame_.x + std::floor(bar.from), box.y, std::max(std::floor(bar.to) - std::floor(bar.from), 1.0),
                 box.height});
  }

  /// The host had not asked yet: hatched, so that it is told from a gap in which the GPU made it wait.
  void launch_gaps(std::size_t strip, const TimelineRow& gaps, const Box& box) {
    const int columns = std::max(static_cast<int>(frame_.width), 1);
    for (const TimelineBar& gap : bars_of(gaps, window_of(strips_[strip]), columns)) {
      if (gap.event < 0) continue;
      const double from = frame_.x + std::floor(gap.from);
      figure_.primitives.push_back(
          Rect{{from, box.y, std::max(std::floor(gap.to) - std::floor(gap.from), 1.0), box.height},
               Role::kLatency,
               kFaint,
               Hatch::kForward});
      has_launch_gaps_ = true;
    }
  }

  static Role step_role(int kind) { return kind == 0 ? Role::kCompute : kind == 1 ? Role::kMemory : Role::kMuted; }
  static Role group_role(int group) { return static_cast<Role>(static_cast<int>(Role::kSeries1) + group); }

  void bar(std::size_t strip, EventRow number, const TimelineBar& bar, const Box& box) {
    const bool step = number == EventRow::kSteps;
    const Timeline& timeline = *strips_[strip].timeline;
    const bool faint = number == EventRow::kOps && bar.event >= 0 && !timeline.gpu &&
                       !passing(timeline.spans[static_cast<std::size_t>(bar.event)]);
    // Layers are lighter than the operations they are made of, operations of a recording than their kernels.
    const bool outer =
        number == EventRow::kLayers || (number == EventRow::kOps && timeline.gpu && !timeline.gpu->of_host);
    const double strength = faint ? kFaint : (outer ? 0.55 : 1.0) * (kSmallBase + (1.0 - kSmallBase) * bar.cover);
    const Role role = step ? step_role(bar.kind) : group_role(bar.kind);
    if (!step && !faint) {
      if (timeline.gpu && !timeline.gpu->of_host)
        groups_.insert(static_cast<KernelGroup>(bar.kind));
      else if (!timeline.gpu)
        families_.insert(static_cast<OpFamily>(bar.kind));
    }
    Box drawn = box;
    if (drawn.width > 4.0) drawn.width -= 1.0;  // neighbours stay two
    figure_.primitives.push_back(Rect{drawn, role, strength, Hatch::kNone});
    if (bar.event < 0 || box.width < kLeastHit) return;
    const auto fits = [&](const std::string& text) { return box.width > text_width(text, 11.0, size_.wording) + 8.0; };
    std::string name = event_label(timeline, number, bar.event);
    // Engines annotate steps at length.
    if (step && !fits(name) && bar.kind <= static_cast<int>(Phase::kDecode))
      name = name_of(static_cast<Phase>(bar.kind));
    if (fits(name) && box.height > 13.0)
      figure_.primitives.push_back(Text{{box.x + box.width / 2.0, box.y + box.height / 2.0 + 4.0},
                                        name,
                                        outer || faint ? Role::kText : Role::kSurface,
                                        11.0,
                                        Anchor::kMiddle});
    figure_.primitives.push_back(HitBox{box,
                                        event_datum(strip, number, bar.event),
                                        {},
                                        Amount{event_seconds(timeline, number, bar.event), AmountUnit::kSeconds}});
  }

  void legend() {
    std::vector<LegendEntry> entries;
    for (const OpFamily family : families_)
      entries.push_back(
          {std::string(name_of(family)), role_of(family), MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
    for (const KernelGroup group : groups_)
      entries.push_back({std::string(name_of(group)), group_role(static_cast<int>(group)), MarkerShape::kSquare,
                         MarkerFill::kFilled, 11.0});
    if (has_launch_gaps_)
      entries.push_back({"launch gap", Role::kLatency, MarkerShape::kSquare, MarkerFill::kHollow, 11.0});
    const double height = legend_height(size_);
    draw_legend(figure_.primitives, {8.0, frame_.bottom() + kAxisRoom - 2.0, size_.width - 16.0, height}, entries,
                {kTimelineFont, size_.wording});
  }

  static std::string events_of(const Timeline& timeline) {
    if (!timeline.gpu) return counted(timeline.ops.size(), "operation", "operations");
    if (timeline.gpu->of_host) return counted(timeline.ops.size(), "range", "ranges");
    return counted(timeline.kernels.size(), "kernel", "kernels");
  }

  std::string description() const {
    std::string text = "Steps, their layers and operations over time.";
    for (const TimelineStrip& strip : strips_) {
      const Timeline& timeline = *strip.timeline;
      text += fmt::format(" {}{} recorded, {} in all.", strip.name.empty() ? "" : strip.name + ": ",
                          counted(timeline.steps.size(), "step", "steps"), events_of(timeline));
    }
    return text;
  }

  std::span<const TimelineStrip> strips_;
  std::span<const OpFilter> filters_;
  Size size_;
  Figure figure_;
  Box frame_;
  Unit unit_;
  Scale x_;
  std::vector<EventRow> rows_;
  std::vector<std::vector<LevelRow>> levels_;  // of each strip, all alike
  bool has_launch_gaps_ = false;
  std::array<std::array<bool, kOpKindCount>, 2> passes_{};
  std::set<OpFamily> families_;   // drawn
  std::set<KernelGroup> groups_;  // likewise
};

}  // namespace

figure::Figure timeline_figure(std::span<const TimelineStrip> strips, const figure::Interval& window_ns,
                               std::span<const OpFilter> filters, figure::Size size, std::string id) {
  return TimelineDrawing(strips, window_ns, filters, size, std::move(id)).draw();
}

}  // namespace dachlast::viewmodel
