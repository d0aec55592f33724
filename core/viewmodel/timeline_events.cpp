// What the events of a timeline are called, what a pointer is told of them, and their table.
#include "core/viewmodel/timeline_events.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

constexpr std::size_t kMostListed = 50'000;  // what a table shows at once

std::size_t event_index(int event) {
  return static_cast<std::size_t>(event);
}

std::string step_facts(const Timeline& timeline, int step) {
  const std::int64_t from = timeline.steps.start_ns(step);
  const std::int64_t to = timeline.steps.end_ns(step);
  const auto left = [&](const TimelineRow& row) {
    return format(Measure::kTime,
                  1e-9 * static_cast<double>(std::max<std::int64_t>(to - from - row.busy_between(from, to), 0)));
  };
  const std::string time = format(Measure::kTime, event_seconds(timeline, EventRow::kSteps, step));
  const std::string name = event_label(timeline, EventRow::kSteps, step);
  if (!timeline.gpu) return fmt::format("{} step\n{}\n{} in gaps between operations", name, time, left(timeline.ops));
  if (timeline.gpu->of_host) return fmt::format("{}\n{}\n{} outside of ranges", name, time, left(timeline.ops));
  std::string text = fmt::format("{}\n{}\n{} in gaps between kernels", name, time, left(timeline.kernels));
  if (timeline.gpu->launches_known)
    text += fmt::format(
        "\nlaunch gap {}",
        format(Measure::kTime, 1e-9 * static_cast<double>(timeline.gpu->launch_gaps.busy_between(from, to))));
  return text;
}

std::string op_facts(const Timeline& timeline, int event) {
  const double seconds = event_seconds(timeline, EventRow::kOps, event);
  const std::string time = format(Measure::kTime, seconds);
  if (timeline.gpu)
    return fmt::format("{}\n{}\n{}", event_label(timeline, EventRow::kOps, event), time,
                       timeline.gpu->of_host ? "no other range within" : "from its first kernel to its last");
  const trace::Span& span = timeline.spans[event_index(event)];
  std::string text = fmt::format("{} · {}{}\n{}", name_of(span.op), name_of(span.phase),
                                 span.layer < 0 ? std::string() : fmt::format(" · layer {}", span.layer), time);
  const double bytes = span.cost.bytes().value;
  if (seconds > 0.0 && (span.cost.flops.value > 0.0 || bytes > 0.0))
    text += fmt::format("\n{}, {}\n{}, {}", format(Measure::kWork, span.cost.flops.value),
                        format(Measure::kTraffic, bytes), format(Measure::kWorkRate, span.cost.flops.value / seconds),
                        format(Measure::kBandwidth, bytes / seconds));
  return text + "\nmeasured time, counted work";
}

std::string kernel_facts(const Timeline& timeline, int event) {
  const TimelineKernel& kernel = timeline.gpu->kernels[event_index(event)];
  const auto time = [](std::int64_t ns) { return format(Measure::kTime, 1e-9 * static_cast<double>(ns)); };
  std::string text =
      fmt::format("{}\n{}", event_label(timeline, EventRow::kKernels, event), time(kernel.end_ns - kernel.start_ns));
  if (kernel.bytes > 0) text += fmt::format("\n{} moved", format(Measure::kTraffic, static_cast<double>(kernel.bytes)));
  if (kernel.launch_ns)
    text += fmt::format("\nstarted {} after its launch",
                        time(std::max<std::int64_t>(kernel.start_ns - *kernel.launch_ns, 0)));
  return text + fmt::format("\nstream {}", kernel.stream);
}

std::string facts_of(const Timeline& timeline, EventRow row, int event) {
  switch (row) {
    case EventRow::kSteps: return step_facts(timeline, event);
    case EventRow::kLayers:
      return fmt::format("layer {}\n{}", event_label(timeline, row, event),
                         format(Measure::kTime, event_seconds(timeline, row, event)));
    case EventRow::kOps: return op_facts(timeline, event);
    case EventRow::kKernels: return kernel_facts(timeline, event);
  }
  return {};
}

/// The strip, row and place that `event_datum` wrote.
struct EventPlace {
  std::size_t strip = 0;
  std::optional<EventRow> row;
  int event = -1;
};

EventPlace place_of(std::string_view datum) {
  EventPlace found;
  const auto number = [](std::string_view text) {
    int value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  if (const std::size_t slash = datum.find('/'); slash != std::string_view::npos) {
    found.strip = static_cast<std::size_t>(std::max(number(datum.substr(0, slash)), 0));
    datum.remove_prefix(slash + 1);
  }
  const std::size_t colon = std::min(datum.find(':'), datum.size());
  for (const EventRow row : kAllEventRows)
    if (datum.substr(0, colon) == key_of(row)) found.row = row;
  if (colon < datum.size()) found.event = number(datum.substr(colon + 1));
  return found;
}

}  // namespace

const TimelineRow& row_of(const Timeline& timeline, EventRow row) {
  switch (row) {
    case EventRow::kSteps: return timeline.steps;
    case EventRow::kLayers: return timeline.layers;
    case EventRow::kOps: return timeline.ops;
    case EventRow::kKernels: return timeline.kernels;
  }
  return timeline.ops;
}

double event_seconds(const Timeline& timeline, EventRow row, int event) {
  if (row == EventRow::kKernels) {
    const TimelineKernel& kernel = timeline.gpu->kernels[event_index(event)];
    return 1e-9 * static_cast<double>(kernel.end_ns - kernel.start_ns);
  }
  const TimelineRow& events = row_of(timeline, row);
  return 1e-9 * static_cast<double>(events.end_ns(event) - events.start_ns(event));
}

std::string event_label(const Timeline& timeline, EventRow row, int event) {
  const auto recorded = [&](std::uint32_t name) { return timeline.gpu->names[name]; };
  switch (row) {
    case EventRow::kSteps:
      if (timeline.gpu) return recorded(timeline.gpu->step_names[event_index(event)]);
      return std::string(name_of(static_cast<Phase>(timeline.steps.kind(event))));
    case EventRow::kLayers: return fmt::format("{}", timeline.layer_numbers[event_index(event)]);
    case EventRow::kOps:
      if (timeline.gpu) return recorded(timeline.gpu->op_names[event_index(event)]);
      return std::string(name_of(timeline.spans[event_index(event)].op));
    case EventRow::kKernels: return recorded(timeline.gpu->kernels[event_index(event)].name);
  }
  return {};
}

std::string event_datum(std::size_t strip, EventRow row, int event) {
  return strip == 0 ? fmt::format("{}:{}", key_of(row), event) : fmt::format("{}/{}:{}", strip, key_of(row), event);
}

std::string event_facts(std::span<const TimelineStrip> strips, std::string_view event) {
  const EventPlace found = place_of(event);
  if (found.strip >= strips.size() || !found.row) return {};
  const Timeline& timeline = *strips[found.strip].timeline;
  if (found.event < 0 || found.event >= row_of(timeline, *found.row).size()) return {};
  return facts_of(timeline, *found.row, found.event);
}

Table events_table(const Timeline& timeline, const figure::Interval& window_ns, std::int64_t origin_ns) {
  std::vector<std::string> rows, names;
  std::vector<std::optional<double>> starts, times;
  std::int64_t left_out = 0;
  for (const EventRow number : kAllEventRows) {
    const TimelineRow& row = row_of(timeline, number);
    for (int i = row.first_from(static_cast<std::int64_t>(window_ns.lo)); i < row.size(); ++i) {
      if (static_cast<double>(row.start_ns(i)) >= window_ns.hi) break;
      if (rows.size() >= kMostListed) {
        ++left_out;
        continue;
      }
      rows.emplace_back(key_of(number));
      names.push_back(event_label(timeline, number, i));
      starts.emplace_back(1e-9 * static_cast<double>(row.start_ns(i) - origin_ns));
      times.emplace_back(event_seconds(timeline, number, i));
    }
  }
  TableBuilder table("timeline-events", "Events of the timeline");
  table.text({"row", "Row", "", "", Align::kLeft}, rows);
  table.text({"event", "Event", "", "", Align::kLeft}, names);
  table.measure({"start_s", "Start", "", "Since the step began."}, Measure::kTime, starts, Origin::kMeasured);
  table.measure({"time_s", "Time", "", ""}, Measure::kTime, times, Origin::kMeasured);
  if (left_out > 0)
    table.note(fmt::format("{} left out: zoom in to list them.", counted(left_out, "further event", "further events")));
  return table.build();
}

}  // namespace dachlast::viewmodel
