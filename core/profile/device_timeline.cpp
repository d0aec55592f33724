#include "core/profile/device_timeline.h"

#include <algorithm>
#include <array>
#include <map>

namespace dachlast {
namespace {

enum class Lane : std::uint8_t { kCompute, kCommunication, kCopy };

Lane lane_of(GpuWork work) {
  if (work == GpuWork::kKernel) return Lane::kCompute;
  return work == GpuWork::kCommunication ? Lane::kCommunication : Lane::kCopy;
}

/// A moment at which the number of running events of a lane changes.
struct Edge {
  std::int64_t at_ns;
  Lane lane;
  int change;
};

std::vector<Edge> edges_of(std::span<const GpuEvent* const> events) {
  std::vector<Edge> edges;
  edges.reserve(2 * events.size());
  for (const GpuEvent* event : events) {
    edges.push_back({event->start_ns, lane_of(event->work), +1});
    edges.push_back({event->end_ns, lane_of(event->work), -1});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge& a, const Edge& b) { return a.at_ns < b.at_ns; });
  return edges;
}

void add_interval(DeviceTimeline& timeline, const std::array<int, 3>& running, std::int64_t length_ns) {
  const auto [compute, communication, copy] = running;
  if (compute > 0) timeline.compute_ns += length_ns;
  if (communication > 0) timeline.communication_ns += length_ns;
  if (copy > 0) timeline.copy_ns += length_ns;
  if (compute > 0) return;
  if (communication > 0)
    timeline.exposed_communication_ns += length_ns;
  else if (copy > 0)
    timeline.exposed_copy_ns += length_ns;
}

DeviceTimeline timeline_of(std::int32_t device, std::span<const GpuEvent* const> events) {
  DeviceTimeline timeline{.device = device, .n_events = static_cast<std::int64_t>(events.size())};
  const std::vector<Edge> edges = edges_of(events);
  timeline.span_ns = edges.back().at_ns - edges.front().at_ns;
  std::array<int, 3> running{};
  std::int64_t last_ns = edges.front().at_ns;
  for (const Edge& edge : edges) {
    add_interval(timeline, running, edge.at_ns - last_ns);
    running[static_cast<std::size_t>(edge.lane)] += edge.change;
    last_ns = edge.at_ns;
  }
  return timeline;
}

}  // namespace

std::vector<DeviceTimeline> device_timelines(std::span<const GpuEvent> events) {
  std::map<std::int32_t, std::vector<const GpuEvent*>> by_device;
  for (const GpuEvent& event : events) by_device[event.device].push_back(&event);
  std::vector<DeviceTimeline> timelines;
  for (const auto& [device, of_device] : by_device) timelines.push_back(timeline_of(device, of_device));
  return timelines;
}

}  // namespace dachlast
