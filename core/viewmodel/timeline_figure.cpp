// Draws a window of recorded time: steps, layers, operations, a strip a run.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "core/figure/axes.h"
#include "core/figure/labels.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"
#include "core/viewmodel/timeline.h"
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
constexpr double kStripGap = 26.0;
constexpr double kLeastHit = 3.0;   // a narrower bar nobody can point at
constexpr double kTwoLines = 30.0;  // a row that has room for its name and its most
constexpr double kFaint = 0.22;
constexpr double kSmallBase = 0.30;          // of a column that holds hardly any time, so that it is seen at all
constexpr int kRows = 3;                     // of events; levels follow below
constexpr std::size_t kMostListed = 50'000;  // what a table shows at once

/// Which event a hit box stands for: "op:12"; those of later strips carry their number in front.
std::string event_name(std::size_t strip, std::string_view row, int event) {
  return strip == 0 ? fmt::format("{}:{}", row, event) : fmt::format("{}/{}:{}", strip, row, event);
}

const TimelineRow& row_of(const Timeline& timeline, int number) {
  return number == 0 ? timeline.steps : number == 1 ? timeline.layers : timeline.ops;
}

double seconds_of(const TimelineRow& row, int event) {
  return 1e-9 * static_cast<double>(row.end_ns(event) - row.start_ns(event));
}

std::string name_of_event(const Timeline& timeline, int number, int event) {
  if (number == 0) return std::string(name_of(static_cast<Phase>(timeline.steps.kind(event))));
  if (number == 1) return fmt::format("{}", timeline.layer_numbers[static_cast<std::size_t>(event)]);
  return std::string(name_of(timeline.spans[static_cast<std::size_t>(event)].op));
}

std::string facts_of_event(const Timeline& timeline, int number, int event) {
  const TimelineRow& row = row_of(timeline, number);
  const double seconds = seconds_of(row, event);
  const std::string time = format(Measure::kTime, seconds);
  if (number == 0) {
    const double in_ops = 1e-9 * static_cast<double>(timeline.ops.busy_between(row.start_ns(event), row.end_ns(event)));
    return fmt::format("{} step\n{}\n{} in gaps between operations", name_of_event(timeline, 0, event), time,
                       format(Measure::kTime, std::max(seconds - in_ops, 0.0)));
  }
  if (number == 1) return fmt::format("layer {}\n{}", name_of_event(timeline, 1, event), time);
  const trace::Span& span = timeline.spans[static_cast<std::size_t>(event)];
  std::string text = fmt::format("{} · {}{}\n{}", name_of(span.op), name_of(span.phase),
                                 span.layer < 0 ? std::string() : fmt::format(" · layer {}", span.layer), time);
  const double bytes = span.cost.bytes().value;
  if (seconds > 0.0 && (span.cost.flops.value > 0.0 || bytes > 0.0))
    text += fmt::format("\n{}, {}\n{}, {}", format(Measure::kWork, span.cost.flops.value),
                        format(Measure::kTraffic, bytes), format(Measure::kWorkRate, span.cost.flops.value / seconds),
                        format(Measure::kBandwidth, bytes / seconds));
  return text + "\nmeasured time, counted work";
}

constexpr std::string_view kRowNames[] = {"step", "layer", "op"};

/// The strip, row and place that `event_name` wrote.
struct EventPlace {
  std::size_t strip = 0;
  int row = -1;
  int event = -1;
};

EventPlace place_of(std::string_view name) {
  EventPlace place;
  const auto number = [](std::string_view text) {
    int value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (const std::size_t slash = name.find('/'); slash != std::string_view::npos) {
    place.strip = static_cast<std::size_t>(std::max(number(name.substr(0, slash)), 0));
    name.remove_prefix(slash + 1);
  }
  const std::size_t colon = std::min(name.find(':'), name.size());
  for (int row = 0; row < kRows; ++row)
    if (name.substr(0, colon) == kRowNames[row]) place.row = row;
  if (colon < name.size()) place.event = number(name.substr(colon + 1));
  return place;
}

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
        has_memory_(std::ranges::any_of(strips, [](const auto& strip) { return !strip.timeline->memory.empty(); })),
        has_kv_(std::ranges::any_of(strips, [](const auto& strip) { return !strip.timeline->kv.empty(); })) {
    figure_.id = std::move(id);
    figure_.size = size;
    figure_.title = "Timeline";
    figure_.description = description();
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
    std::vector<LegendEntry> all;
    for (int family = 0; family < kOpFamilyCount; ++family)
      all.push_back({.text = std::string(name_of(static_cast<OpFamily>(family)))});
    return kLegendRowHeight * legend_rows(all, size.width - 16.0, {kTimelineFont, size.wording});
  }

  double strip_height() const {
    const auto n = static_cast<double>(std::max<std::size_t>(strips_.size(), 1));
    return (frame_.height - (n - 1.0) * kStripGap) / n;
  }
  int n_rows() const { return kRows + (has_memory_ ? 1 : 0) + (has_kv_ ? 1 : 0); }
  double row_height() const { return std::min((strip_height() - 18.0) / n_rows() - kRowGap, kMostRow); }
  /// On whole pixels, as bars are: what lies on them is filled at once, without smoothing.
  Box row_box(std::size_t strip, int row) const {
    const double top = frame_.y + static_cast<double>(strip) * (strip_height() + kStripGap) + 18.0;
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
                                      fmt::format("Time since the step began, {}", unit_.text),
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
    const Timeline& timeline = *strip.timeline;
    if (!strip.name.empty())
      figure_.primitives.push_back(Text{{frame_.x, row_box(index, 0).y - 5.0},
                                        strip.name,
                                        Role::kMuted,
                                        kTimelineFont,
                                        Anchor::kStart,
                                        0.0,
                                        Weight::kBold});
    row(index, 0, "Steps", timeline.steps);
    row(index, 1, "Layers", timeline.layers);
    row(index, 2, "Operations", timeline.ops);
    levels(index);
  }

  /// What is held while the steps last: rows of their own below the events.
  void levels(std::size_t index) {
    const Timeline& timeline = *strips_[index].timeline;
    int number = kRows;
    if (has_memory_) level(index, number++, memory_level_row(timeline));
    if (has_kv_) level(index, number, kv_level_row(timeline));
  }

  void level(std::size_t index, int number, const LevelRow& row) {
    const Box box = row_box(index, number);
    const bool tall = box.height >= kTwoLines;
    const double middle = box.y + box.height / 2.0 + 4.0;
    figure_.primitives.push_back(
        Text{{frame_.x - 10.0, tall ? middle - 7.0 : middle}, row.name, Role::kText, kTimelineFont, Anchor::kEnd});
    if (tall && !row.most.empty())
      figure_.primitives.push_back(Text{{frame_.x - 10.0, middle + 7.0}, row.most, Role::kMuted, 11.0, Anchor::kEnd});
    draw_level(figure_.primitives, row, window_of(strips_[index]), box);
  }

  void row(std::size_t strip, int number, const char* name, const TimelineRow& events) {
    const Box box = row_box(strip, number);
    figure_.primitives.push_back(
        Text{{frame_.x - 10.0, box.y + box.height / 2.0 + 4.0}, name, Role::kText, kTimelineFont, Anchor::kEnd});
    const int columns = std::max(static_cast<int>(frame_.width), 1);
    for (const TimelineBar& bar : bars_of(events, window_of(strips_[strip]), columns))
      this->bar(strip, number, bar,
                {frame_.x + std::floor(bar.from), box.y, std::max(std::floor(bar.to) - std::floor(bar.from), 1.0),
                 box.height});
  }

  void bar(std::size_t strip, int number, const TimelineBar& bar, const Box& box) {
    const bool step = number == 0;
    const Timeline& timeline = *strips_[strip].timeline;
    const bool faint = number == 2 && bar.event >= 0 && !passing(timeline.spans[static_cast<std::size_t>(bar.event)]);
    // Layers are lighter than the operations they are made of.
    const double strength = faint ? kFaint : (number == 1 ? 0.55 : 1.0) * (kSmallBase + (1.0 - kSmallBase) * bar.cover);
    const Role role =
        step ? (bar.kind == 0 ? Role::kCompute : Role::kMemory) : role_of(static_cast<OpFamily>(bar.kind));
    if (!step && !faint) families_.insert(static_cast<OpFamily>(bar.kind));
    Box drawn = box;
    if (drawn.width > 4.0) drawn.width -= 1.0;  // neighbours stay two
    figure_.primitives.push_back(Rect{drawn, role, strength, Hatch::kNone});
    if (bar.event < 0 || box.width < kLeastHit) return;
    const std::string name = name_of_event(timeline, number, bar.event);
    if (box.width > text_width(name, 11.0, size_.wording) + 8.0 && box.height > 13.0)
      figure_.primitives.push_back(Text{{box.x + box.width / 2.0, box.y + box.height / 2.0 + 4.0},
                                        name,
                                        number == 1 || faint ? Role::kText : Role::kSurface,
                                        11.0,
                                        Anchor::kMiddle});
    figure_.primitives.push_back(HitBox{box,
                                        event_name(strip, kRowNames[number], bar.event),
                                        {},
                                        Amount{seconds_of(row_of(timeline, number), bar.event), AmountUnit::kSeconds}});
  }

  void legend() {
    std::vector<LegendEntry> entries;
    for (const OpFamily family : families_)
      entries.push_back(
          {std::string(name_of(family)), role_of(family), MarkerShape::kSquare, MarkerFill::kFilled, 11.0});
    const double height = legend_height(size_);
    draw_legend(figure_.primitives, {8.0, size_.height - height - 2.0, size_.width - 16.0, height}, entries,
                {kTimelineFont, size_.wording});
  }

  std::string description() const {
    std::string text = "Steps, their layers and operations over time.";
    for (const TimelineStrip& strip : strips_)
      text += fmt::format(" {}{} recorded, {} in all.", strip.name.empty() ? "" : strip.name + ": ",
                          counted(strip.timeline->steps.size(), "step", "steps"),
                          counted(strip.timeline->ops.size(), "operation", "operations"));
    return text;
  }

  std::span<const TimelineStrip> strips_;
  std::span<const OpFilter> filters_;
  Size size_;
  Figure figure_;
  Box frame_;
  Unit unit_;
  Scale x_;
  bool has_memory_;  // any of the strips, so that rows of all lie alike
  bool has_kv_;
  std::array<std::array<bool, kOpKindCount>, 2> passes_{};
  std::set<OpFamily> families_;  // drawn
};

}  // namespace

figure::Figure timeline_figure(std::span<const TimelineStrip> strips, const figure::Interval& window_ns,
                               std::span<const OpFilter> filters, figure::Size size, std::string id) {
  return TimelineDrawing(strips, window_ns, filters, size, std::move(id)).draw();
}

std::string event_facts(std::span<const TimelineStrip> strips, std::string_view event) {
  const EventPlace place = place_of(event);
  if (place.strip >= strips.size() || place.row < 0) return {};
  const Timeline& timeline = *strips[place.strip].timeline;
  if (place.event < 0 || place.event >= row_of(timeline, place.row).size()) return {};
  return facts_of_event(timeline, place.row, place.event);
}

Table events_table(const Timeline& timeline, const figure::Interval& window_ns, std::int64_t origin_ns) {
  std::vector<std::string> rows, names;
  std::vector<std::optional<double>> starts, times;
  std::size_t left_out = 0;
  for (int number = 0; number < kRows; ++number) {
    const TimelineRow& row = row_of(timeline, number);
    for (int i = row.first_from(static_cast<std::int64_t>(window_ns.lo)); i < row.size(); ++i) {
      if (static_cast<double>(row.start_ns(i)) >= window_ns.hi) break;
      if (rows.size() >= kMostListed) {
        ++left_out;
        continue;
      }
      rows.emplace_back(kRowNames[number]);
      names.push_back(name_of_event(timeline, number, i));
      starts.emplace_back(1e-9 * static_cast<double>(row.start_ns(i) - origin_ns));
      times.emplace_back(seconds_of(row, i));
    }
  }
  TableBuilder table("timeline-events", "Events of the timeline");
  table.text({"row", "Row", "", "", Align::kLeft}, rows);
  table.text({"event", "Event", "", "", Align::kLeft}, names);
  table.measure({"start_s", "Start", "", "Since the step began."}, Measure::kTime, starts, Origin::kMeasured);
  table.measure({"time_s", "Time", "", ""}, Measure::kTime, times, Origin::kMeasured);
  if (left_out > 0)
    table.note(fmt::format("{} left out: zoom in to list them.",
                           counted(static_cast<std::int64_t>(left_out), "further event", "further events")));
  return table.build();
}

}  // namespace dachlast::viewmodel
