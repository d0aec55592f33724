#include "core/viewmodel/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/selection.h"

namespace dachlast::viewmodel {
namespace {

constexpr double kAir = 0.03;             // beside a step that is framed
constexpr double kLeastWindowNs = 100.0;  // clocks tell no more

std::size_t at(int i) {
  return static_cast<std::size_t>(i);
}

/// Adds the operations of one layer as one event; its kind is that of the operation that took longest.
class LayerRow {
 public:
  explicit LayerRow(Timeline& timeline) : timeline_(timeline) {}

  void add(const trace::Span& span, std::int64_t start_ns, std::int64_t end_ns) {
    if (span.layer != layer_) flush();
    if (span.layer < 0) return;
    if (layer_ < 0) start_ns_ = start_ns;
    layer_ = span.layer;
    end_ns_ = end_ns;
    times_[at(static_cast<int>(family_of(span.op)))] += end_ns - start_ns;
  }

  void flush() {
    if (layer_ >= 0) {
      const auto longest = std::ranges::max_element(times_) - times_.begin();
      timeline_.layers.add(start_ns_, end_ns_, static_cast<int>(longest));
      timeline_.layer_numbers.push_back(layer_);
    }
    layer_ = -1;
    times_ = {};
  }

 private:
  Timeline& timeline_;
  std::int32_t layer_ = -1;
  std::int64_t start_ns_ = 0;
  std::int64_t end_ns_ = 0;
  TimelineRow::Busy times_{};
};

std::int64_t earliest(std::span<const RecordedPoint> points) {
  std::int64_t first = INT64_MAX;
  for (const RecordedPoint& point : points)
    for (const trace::Span& span : point.spans) first = std::min(first, span.start_ns);
  return first == INT64_MAX ? 0 : first;
}

// Spans come in the order they ended, operations before their step: by start they are nearly sorted already. A step that begins
// with its first operation comes before it.
std::vector<trace::Span> in_order(std::span<const trace::Span> spans) {
  std::vector<trace::Span> sorted(spans.begin(), spans.end());
  const auto before = [](const trace::Span& a, const trace::Span& b) {
    return a.start_ns != b.start_ns ? a.start_ns < b.start_ns : a.zone < b.zone;
  };
  if (!std::ranges::is_sorted(sorted, before)) std::ranges::stable_sort(sorted, before);
  return sorted;
}

/// A span's `kv_len` counts the tokens of each sequence when the step ends, its `n_tokens` the new ones of all.
KvLevel kv_level(const trace::Span& step, int batch_size) {
  const std::int64_t after = std::int64_t{step.kv_len} * batch_size;
  return {step.start_ns, step.end_ns, std::max<std::int64_t>(after - step.n_tokens, 0), after};
}

void add_memory(Timeline& timeline, std::span<const trace::MemorySample> samples, std::int64_t origin_ns) {
  for (trace::MemorySample sample : samples) {
    sample.at_ns -= origin_ns;
    if (sample.at_ns >= 0 || timeline.memory.empty()) timeline.memory.push_back(sample);
    timeline.end_ns = std::max(timeline.end_ns, sample.at_ns);
  }
}

/// Between readings that follow one another: those of different points lie apart.
void add_clock_power(Timeline& timeline, std::span<const trace::ClockPowerSample> samples, std::int64_t origin_ns) {
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const trace::ClockPowerSample& from = samples[i - 1];
    const trace::ClockPowerSample& to = samples[i];
    timeline.clock_power.push_back(
        {from.at_ns - origin_ns, to.at_ns - origin_ns, from.clock_hz, to.clock_hz, to.power_w});
  }
}

void add_point(Timeline& timeline, const RecordedPoint& point, std::int64_t origin_ns) {
  TimelinePoint made{point.heading, point.phase, point.n_steps_measured, timeline.steps.size(), 0};
  LayerRow layers(timeline);
  for (trace::Span span : in_order(point.spans)) {
    span.start_ns -= origin_ns;
    span.end_ns -= origin_ns;
    timeline.end_ns = std::max(timeline.end_ns, span.end_ns);
    if (span.zone == trace::ZoneKind::kStep) {
      layers.flush();
      timeline.steps.add(span.start_ns, span.end_ns, static_cast<int>(span.phase));
      if (point.batch_size > 0) timeline.kv.push_back(kv_level(span, point.batch_size));
      continue;
    }
    layers.add(span, span.start_ns, span.end_ns);
    timeline.ops.add(span.start_ns, span.end_ns, static_cast<int>(family_of(span.op)));
    timeline.spans.push_back(span);
  }
  layers.flush();
  add_memory(timeline, point.memory, origin_ns);
  add_clock_power(timeline, point.clock_power, origin_ns);
  made.n_steps = timeline.steps.size() - made.first_step;
  timeline.points.push_back(std::move(made));
}

int dominant(const TimelineRow::Busy& busy) {
  return static_cast<int>(std::ranges::max_element(busy) - busy.begin());
}

/// The first step of a point that decodes: prefill and decode take turns in recordings.
int framed_step(const Timeline& timeline, const TimelinePoint& point) {
  for (int step = point.first_step; step < point.first_step + point.n_steps; ++step)
    if (timeline.steps.kind(step) == static_cast<int>(Phase::kDecode)) return step;
  return point.first_step;
}

std::string of_range(std::int64_t from_ns, std::int64_t to_ns) {
  return format(Measure::kTime, 1e-9 * static_cast<double>(to_ns - from_ns));
}

/// Of the steps in a range, where there are any.
std::string share_of_steps(double gap_ns, double steps_ns) {
  return steps_ns > 0.0 ? fmt::format(" ({} of the steps)", format_percent(gap_ns / steps_ns)) : std::string();
}

/// Ranges of a thread that begin between two times, and how much of it nothing was annotated.
TimelineRange describe_ranges(const Timeline& timeline, std::int64_t from_ns, std::int64_t to_ns) {
  from_ns = std::clamp<std::int64_t>(from_ns, 0, timeline.end_ns);
  to_ns = std::clamp(to_ns, from_ns, timeline.end_ns);
  std::vector<double> seconds;
  for (int i = timeline.ops.first_from(from_ns); i < timeline.ops.first_from(to_ns); ++i)
    seconds.push_back(1e-9 * static_cast<double>(timeline.ops.end_ns(i) - timeline.ops.start_ns(i)));
  const std::int64_t inside_ns = timeline.ops.busy_between(from_ns, to_ns);
  TimelineRange range;
  range.window_ns = {static_cast<double>(from_ns), static_cast<double>(to_ns)};
  range.n_events = static_cast<std::int64_t>(seconds.size());
  range.statistics = duration_statistics(seconds);
  range.sentence =
      fmt::format("{} begin in {}: {} inside ranges, {} outside of them.", counted(range.n_events, "range", "ranges"),
                  of_range(from_ns, to_ns), of_range(0, inside_ns), of_range(inside_ns, to_ns - from_ns));
  return range;
}

/// Kernels that begin between two times, and how much of it the GPU had nothing to do.
TimelineRange describe_kernels(const Timeline& timeline, std::int64_t from_ns, std::int64_t to_ns) {
  from_ns = std::clamp<std::int64_t>(from_ns, 0, timeline.end_ns);
  to_ns = std::clamp(to_ns, from_ns, timeline.end_ns);
  const TimelineRow& kernels = timeline.kernels;
  std::vector<double> seconds;
  for (int i = kernels.first_from(from_ns); i < kernels.first_from(to_ns); ++i) {
    const TimelineKernel& kernel = timeline.gpu->kernels[at(i)];
    seconds.push_back(1e-9 * static_cast<double>(kernel.end_ns - kernel.start_ns));
  }
  const std::int64_t busy_ns = kernels.busy_between(from_ns, to_ns);
  const std::int64_t launch_ns = timeline.gpu->launch_gaps.busy_between(from_ns, to_ns);
  const std::string launch =
      timeline.gpu->launches_known
          ? fmt::format(", launch gap {} ({})", of_range(0, launch_ns),
                        format_percent(static_cast<double>(launch_ns) /
                                       static_cast<double>(std::max<std::int64_t>(to_ns - from_ns, 1))))
          : std::string();
  TimelineRange range;
  range.window_ns = {static_cast<double>(from_ns), static_cast<double>(to_ns)};
  range.n_events = static_cast<std::int64_t>(seconds.size());
  range.statistics = duration_statistics(seconds);
  range.sentence =
      fmt::format("{} begin in {}: GPU busy {}, gaps {}{}.", counted(range.n_events, "kernel", "kernels"),
                  of_range(from_ns, to_ns), of_range(0, busy_ns), of_range(busy_ns, to_ns - from_ns), launch);
  return range;
}

}  // namespace

// -------- rows

void TimelineRow::add(std::int64_t start_ns, std::int64_t end_ns, int kind) {
  if (!ends_.empty()) start_ns = std::max(start_ns, ends_.back());
  end_ns = std::max(end_ns, start_ns);
  if (size() % kBlock == 0) sums_.push_back(sums_.empty() ? Busy{} : busy(0, size()));
  starts_.push_back(start_ns);
  ends_.push_back(end_ns);
  kinds_.push_back(static_cast<std::uint8_t>(kind));
}

int TimelineRow::first_from(std::int64_t time_ns) const {
  return static_cast<int>(std::lower_bound(starts_.begin(), starts_.end(), time_ns) - starts_.begin());
}

TimelineRow::Busy TimelineRow::busy(int from, int to) const {
  const auto until = [&](int end) {
    const int block = std::min(end / kBlock, static_cast<int>(sums_.size()) - 1);
    Busy sum = block < 0 ? Busy{} : sums_[at(block)];
    for (int i = std::max(block, 0) * kBlock; i < end; ++i) sum[at(kind(i))] += end_ns(i) - start_ns(i);
    return sum;
  };
  Busy sum = until(to);
  const Busy before = until(from);
  for (std::size_t kind = 0; kind < sum.size(); ++kind) sum[kind] -= before[kind];
  return sum;
}

std::int64_t TimelineRow::busy_between(std::int64_t from_ns, std::int64_t to_ns) const {
  const int from = first_from(from_ns);
  const int to = first_from(to_ns);
  const Busy whole = busy(from, to);
  std::int64_t sum = 0;
  for (const std::int64_t time : whole) sum += time;
  if (from > 0) sum += std::max<std::int64_t>(std::min(end_ns(from - 1), to_ns) - from_ns, 0);
  if (to > from) sum -= std::max<std::int64_t>(end_ns(to - 1) - to_ns, 0);
  return sum;
}

std::vector<TimelineBar> bars_of(const TimelineRow& row, const figure::Interval& window_ns, int n_columns) {
  std::vector<TimelineBar> bars;
  const double column_ns = (window_ns.hi - window_ns.lo) / n_columns;
  const auto place = [&](double time_ns) {
    return std::clamp((time_ns - window_ns.lo) / column_ns, 0.0, static_cast<double>(n_columns));
  };
  const auto width = [&](int i) { return static_cast<double>(row.end_ns(i) - row.start_ns(i)) / column_ns; };
  int i = row.first_from(static_cast<std::int64_t>(std::ceil(window_ns.lo)));
  if (i > 0 && static_cast<double>(row.end_ns(i - 1)) > window_ns.lo) --i;
  while (i < row.size() && static_cast<double>(row.start_ns(i)) < window_ns.hi) {
    if (width(i) >= 1.0) {
      bars.push_back({place(static_cast<double>(row.start_ns(i))), place(static_cast<double>(row.end_ns(i))),
                      row.kind(i), 1.0, i});
      ++i;
      continue;
    }
    const double column = std::floor(place(static_cast<double>(row.start_ns(i))));
    const double right_ns = window_ns.lo + (column + 1.0) * column_ns;
    int next = std::max(row.first_from(static_cast<std::int64_t>(std::ceil(right_ns))), i + 1);
    // Only the last event that begins in a column can be wider than it: it stands for itself.
    if (next > i + 1 && width(next - 1) >= 1.0) --next;
    const TimelineRow::Busy busy = row.busy(i, next);
    std::int64_t sum = 0;
    for (const std::int64_t time : busy) sum += time;
    bars.push_back({column, column + 1.0, dominant(busy), std::clamp(static_cast<double>(sum) / column_ns, 0.0, 1.0),
                    next == i + 1 ? i : -1});
    i = next;
  }
  return bars;
}

// -------- the whole

Timeline make_timeline(std::span<const RecordedPoint> points) {
  Timeline timeline;
  const std::int64_t origin_ns = earliest(points);
  std::size_t n_spans = 0;
  for (const RecordedPoint& point : points) n_spans += point.spans.size();
  timeline.spans.reserve(n_spans);
  for (const RecordedPoint& point : points)
    if (!point.spans.empty()) add_point(timeline, point, origin_ns);
  return timeline;
}

figure::Interval step_window(const Timeline& timeline, int step) {
  const auto from = static_cast<double>(timeline.steps.start_ns(step));
  const auto to = static_cast<double>(timeline.steps.end_ns(step));
  const double air = std::max(kAir * (to - from), kLeastWindowNs / 2.0);
  return {from - air, to + air};
}

figure::Interval first_window(const Timeline& timeline) {
  const TimelinePoint* framed = nullptr;
  for (const TimelinePoint& point : timeline.points)
    if (point.n_steps > 0 && (framed == nullptr || point.phase == Phase::kDecode || framed->phase == Phase::kPrefill))
      framed = &point;
  if (framed == nullptr) return {0.0, std::max(static_cast<double>(timeline.end_ns), kLeastWindowNs)};
  return step_window(timeline, framed_step(timeline, *framed));
}

figure::Interval clamped_window(const Timeline& timeline, figure::Interval window_ns) {
  const double air = kAir * static_cast<double>(timeline.end_ns) + kLeastWindowNs;
  const double whole = static_cast<double>(timeline.end_ns) + 2.0 * air;
  const double width = std::clamp(window_ns.hi - window_ns.lo, kLeastWindowNs, whole);
  const double centre = (window_ns.lo + window_ns.hi) / 2.0;
  const double lo = std::clamp(centre - width / 2.0, -air, whole - air - width);
  return {lo, lo + width};
}

std::vector<std::string> missing_rows(const Timeline& timeline) {
  std::vector<std::string> missing;
  if (!timeline.no_kernels.empty()) missing.push_back("No kernels: " + timeline.no_kernels);
  if (!timeline.clock_power_sources) return missing;
  const auto& [clock, power] = *timeline.clock_power_sources;
  if (!clock.reason.empty()) missing.push_back("No clock: " + clock.reason);
  if (!power.reason.empty()) missing.push_back("No power: " + power.reason);
  return missing;
}

TimelineRange describe_range(const Timeline& timeline, const figure::Interval& range_ns) {
  const auto from_ns = static_cast<std::int64_t>(range_ns.lo);
  const auto to_ns = static_cast<std::int64_t>(range_ns.hi);
  if (timeline.gpu && timeline.gpu->of_host) return describe_ranges(timeline, from_ns, to_ns);
  if (timeline.gpu) return describe_kernels(timeline, from_ns, to_ns);
  const int from = timeline.ops.first_from(from_ns);
  const int to = timeline.ops.first_from(to_ns);
  TimelineRange range;
  range.window_ns = range_ns;
  range.n_events = to - from;
  std::vector<double> seconds;
  seconds.reserve(at(to - from));
  std::array<std::array<bool, kOpKindCount>, 2> seen{};
  for (int i = from; i < to; ++i) {
    seconds.push_back(1e-9 * static_cast<double>(timeline.ops.end_ns(i) - timeline.ops.start_ns(i)));
    const trace::Span& span = timeline.spans[at(i)];
    seen[at(static_cast<int>(span.phase))][at(static_cast<int>(span.op))] = true;
  }
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode})
    for (int op = 0; op < kOpKindCount; ++op)
      if (seen[at(static_cast<int>(phase))][at(op)]) range.datums.push_back(op_datum(phase, static_cast<OpKind>(op)));
  std::ranges::sort(range.datums);
  range.statistics = duration_statistics(seconds);
  const double in_steps = static_cast<double>(timeline.steps.busy_between(from_ns, to_ns));
  const double in_ops = static_cast<double>(timeline.ops.busy_between(from_ns, to_ns));
  const double gaps = std::max(in_steps - in_ops, 0.0);
  range.sentence = fmt::format(
      "{} begin in {}: {} inside operations, {} in gaps between them{}.", counted(to - from, "operation", "operations"),
      format(Measure::kTime, 1e-9 * (range_ns.hi - range_ns.lo)), format(Measure::kTime, 1e-9 * in_ops),
      format(Measure::kTime, 1e-9 * gaps), share_of_steps(gaps, in_steps));
  return range;
}

std::string op_datum_of(const Timeline& timeline, std::string_view event) {
  constexpr std::string_view kPrefix = "op:";
  if (!event.starts_with(kPrefix)) return {};
  int index = -1;
  const std::string_view number = event.substr(kPrefix.size());
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), index);
  if (parsed.ec != std::errc{} || index < 0 || index >= static_cast<int>(timeline.spans.size())) return {};
  const trace::Span& span = timeline.spans[at(index)];
  return op_datum(span.phase, span.op);
}

}  // namespace dachlast::viewmodel
