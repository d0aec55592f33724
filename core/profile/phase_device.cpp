#include "core/profile/phase_device.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/profile/device_timeline.h"

namespace dachlast {
namespace {

/// A step's time on one device.
struct Window {
  std::size_t step = 0;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
};

/// Windows of all steps on a device, in order, none over another.
std::vector<Window> windows_of(const std::vector<TraceStep>& steps, const std::vector<const GpuEvent*>& events) {
  std::map<std::int32_t, std::int64_t> last_end;  // by step
  for (const GpuEvent* event : events) {
    if (event->step == kNoIndex) continue;
    const auto [found, is_new] = last_end.emplace(event->step, event->end_ns);
    if (!is_new) found->second = std::max(found->second, event->end_ns);
  }
  std::vector<Window> windows;
  for (const auto& [step, end_ns] : last_end)
    windows.push_back({static_cast<std::size_t>(step), steps[static_cast<std::size_t>(step)].start_ns, end_ns});
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Window& a, const Window& b) { return a.start_ns < b.start_ns; });
  std::int64_t taken_until = windows.empty() ? 0 : windows.front().start_ns;
  for (Window& window : windows) {
    window.start_ns = std::max(window.start_ns, taken_until);
    window.end_ns = std::max(window.end_ns, window.start_ns);
    taken_until = window.end_ns;
  }
  return windows;
}

/// The events of one device, by start.
class DeviceEvents {
 public:
  explicit DeviceEvents(std::vector<const GpuEvent*> events) : events_(std::move(events)) {
    std::stable_sort(events_.begin(), events_.end(),
                     [](const GpuEvent* a, const GpuEvent* b) { return a->start_ns < b->start_ns; });
    for (const GpuEvent* event : events_) longest_ns_ = std::max(longest_ns_, event->duration_ns());
  }

  const std::vector<const GpuEvent*>& all() const { return events_; }

  /// Copies of what runs within a window, cut at its ends.
  std::vector<GpuEvent> within(const Window& window) const {
    // What began earlier than the longest event takes is over.
    auto at =
        std::lower_bound(events_.begin(), events_.end(), window.start_ns - longest_ns_,
                         [](const GpuEvent* event, std::int64_t moment_ns) { return event->start_ns < moment_ns; });
    std::vector<GpuEvent> cut;
    for (; at != events_.end() && (*at)->start_ns < window.end_ns; ++at) {
      if ((*at)->end_ns <= window.start_ns) continue;
      GpuEvent event = **at;
      event.start_ns = std::max(event.start_ns, window.start_ns);
      event.end_ns = std::min(event.end_ns, window.end_ns);
      cut.push_back(event);
    }
    return cut;
  }

 private:
  std::vector<const GpuEvent*> events_;
  std::int64_t longest_ns_ = 0;
};

/// Idle time of a window before the launches of what ended it began. `events` by start.
std::optional<std::int64_t> launch_gap(const Window& window, const std::vector<GpuEvent>& events) {
  std::optional<std::int64_t> gap_ns;
  std::int64_t busy_until_ns = window.start_ns;
  for (const GpuEvent& event : events) {
    if (event.launch_ns) {
      const std::int64_t asked_ns = std::min(*event.launch_ns, event.start_ns);
      gap_ns = gap_ns.value_or(0) + std::max<std::int64_t>(0, asked_ns - busy_until_ns);
    }
    busy_until_ns = std::max(busy_until_ns, event.end_ns);
  }
  return gap_ns;
}

void add_window(PhaseDevice& phase, const Window& window, const DeviceEvents& events) {
  const std::vector<GpuEvent> cut = events.within(window);
  ++phase.n_steps;
  phase.span_ns += window.end_ns - window.start_ns;
  for (const DeviceTimeline& timeline : device_timelines(cut)) {  // of one device, or none
    phase.busy_ns += timeline.busy_ns();
    phase.copy_ns += timeline.copy_ns;
    phase.exposed_copy_ns += timeline.exposed_copy_ns;
  }
  if (const auto gap_ns = launch_gap(window, cut)) phase.launch_gap_ns = phase.launch_gap_ns.value_or(0) + *gap_ns;
}

}  // namespace

std::string phase_label(const TraceStep& step) {
  return step.phase ? std::string(name_of(*step.phase)) : "mixed";
}

std::vector<PhaseDevice> phase_devices(const GpuTrace& trace) {
  std::map<std::int32_t, std::vector<const GpuEvent*>> by_device;
  for (const GpuEvent& event : trace.events) by_device[event.device].push_back(&event);
  std::map<std::pair<std::string, std::int32_t>, PhaseDevice> phases;
  for (auto& [device, list] : by_device) {
    const DeviceEvents events(std::move(list));
    for (const Window& window : windows_of(trace.steps, events.all())) {
      const std::string label = phase_label(trace.steps[window.step]);
      PhaseDevice& phase = phases[{label, device}];
      phase.label = label;
      phase.device = device;
      add_window(phase, window, events);
    }
  }
  std::vector<PhaseDevice> list;
  for (auto& [key, phase] : phases) list.push_back(std::move(phase));
  return list;
}

}  // namespace dachlast
