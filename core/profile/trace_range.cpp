#include "core/profile/trace_range.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

namespace dachlast {
namespace {

std::size_t place(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

/// Events without length lie where they begin.
bool meets(const TraceRange& range, const GpuEvent& event) {
  return event.start_ns < range.to_ns && (event.end_ns > range.from_ns || event.start_ns >= range.from_ns);
}

bool lies_in(const TraceRange& range, std::int64_t start_ns, std::int64_t end_ns) {
  return start_ns >= range.from_ns && end_ns <= range.to_ns;
}

/// Takes calls of which something lies outside from the events inside. Returns how many those are.
std::int64_t release_cut_calls(const GpuTrace& trace, const TraceRange& range, std::vector<GpuEvent>& inside) {
  const std::vector<std::int32_t> counted = counted_ops(trace);
  const auto call_of = [&](const GpuEvent& event) {
    return event.host_op == kNoIndex ? kNoIndex : counted[place(event.host_op)];
  };
  std::vector<char> cut(trace.host_ops.size(), 0);
  for (const GpuEvent& event : trace.events)
    if (const std::int32_t call = call_of(event); call != kNoIndex && !lies_in(range, event.start_ns, event.end_ns))
      cut[place(call)] = 1;
  std::set<std::int32_t> released;
  for (GpuEvent& event : inside) {
    const std::int32_t call = call_of(event);
    if (call == kNoIndex || cut[place(call)] == 0) continue;
    released.insert(call);
    event.host_op = kNoIndex;
  }
  return static_cast<std::int64_t>(released.size());
}

/// Keeps the steps of these events, in their order.
std::vector<TraceStep> steps_of(const GpuTrace& trace, std::vector<GpuEvent>& events) {
  std::vector<std::int32_t> places(trace.steps.size(), kNoIndex);
  for (const GpuEvent& event : events)
    if (event.step != kNoIndex) places[place(event.step)] = 0;
  std::vector<TraceStep> kept;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (places[i] == kNoIndex) continue;
    places[i] = static_cast<std::int32_t>(kept.size());
    kept.push_back(trace.steps[i]);
  }
  for (GpuEvent& event : events)
    if (event.step != kNoIndex) event.step = places[place(event.step)];
  return kept;
}

std::vector<DeviceTimeline> timelines_in(const GpuTrace& whole, const GpuTrace& part, const TraceRange& range) {
  std::vector<DeviceTimeline> timelines = device_timelines(part.events);
  std::set<std::int32_t> idle;
  for (const GpuEvent& event : whole.events) idle.insert(event.device);
  for (DeviceTimeline& timeline : timelines) idle.erase(timeline.device);
  for (const std::int32_t device : idle) timelines.push_back({.device = device});
  for (DeviceTimeline& timeline : timelines) timeline.span_ns = range.to_ns - range.from_ns;
  std::ranges::sort(timelines, {}, &DeviceTimeline::device);
  return timelines;
}

}  // namespace

TracePart part_of(const GpuTrace& trace, const TraceRange& range) {
  TracePart part;
  part.trace = {.format = trace.format,
                .names = trace.names,
                .events = {},
                .host_ops = trace.host_ops,
                .operands = trace.operands,
                .steps = {},
                .devices = trace.devices,
                .samples = {},
                .remarks = trace.remarks};
  for (const GpuEvent& event : trace.events) {
    if (!meets(range, event)) continue;
    GpuEvent& inside = part.trace.events.emplace_back(event);
    inside.start_ns = std::max(event.start_ns, range.from_ns);
    inside.end_ns = std::min(event.end_ns, range.to_ns);
  }
  part.n_cut_calls = release_cut_calls(trace, range, part.trace.events);
  part.trace.steps = steps_of(trace, part.trace.events);
  for (const DeviceSample& sample : trace.samples)
    if (lies_in(range, sample.start_ns, sample.end_ns)) part.trace.samples.push_back(sample);
  return part;
}

GpuProfile summarize(const GpuTrace& trace, const NameRules& rules, const TraceRange& range) {
  const TracePart part = part_of(trace, range);
  GpuProfile profile = summarize(part.trace, rules);
  profile.timelines = timelines_in(trace, part.trace, range);
  profile.launched_timelines.clear();  // from its first event to its last: of a range that says nothing
  profile.remarks.push_back({"range",
                             "Only of the range: kernels that its edges cut count by their part inside, steps as a "
                             "whole."});
  if (part.n_cut_calls > 0)
    profile.remarks.push_back(
        {"range_cut_calls",
         fmt::format("Calls of operators that the range's edges cut are left out of work and rates: {}.",
                     part.n_cut_calls)});
  return profile;
}

}  // namespace dachlast
