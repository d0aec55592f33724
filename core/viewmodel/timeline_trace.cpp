#include "core/viewmodel/timeline_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include "core/profile/phase_device.h"

namespace dachlast::viewmodel {
namespace {

constexpr int kMixedStep = 2;  // its annotation says neither prefill nor decode

std::size_t trace_index(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

KernelGroup group_of(KernelFamily family) {
  switch (family) {
    case KernelFamily::kAttention:
    case KernelFamily::kKvCache: return KernelGroup::kAttention;
    case KernelFamily::kGemm:
    case KernelFamily::kMoe:
    case KernelFamily::kConvolution: return KernelGroup::kMatrix;
    case KernelFamily::kCommunication: return KernelGroup::kCommunication;
    case KernelFamily::kCopy:
    case KernelFamily::kFill: return KernelGroup::kCopy;
    default: return KernelGroup::kOther;
  }
}

KernelGroup group_of(const GpuEvent& event, const GpuTrace& trace, const NameRules& rules) {
  switch (event.work) {
    case GpuWork::kCommunication: return KernelGroup::kCommunication;
    case GpuWork::kCopy:
    case GpuWork::kFill: return KernelGroup::kCopy;
    case GpuWork::kKernel: break;
  }
  return group_of(rules.family_of(trace.names[event.name]));
}

/// The device with the most time in events.
std::int32_t busiest_device(const GpuTrace& trace) {
  std::map<std::int32_t, std::int64_t> times;
  for (const GpuEvent& event : trace.events) times[event.device] += event.duration_ns();
  const auto longest = std::ranges::max_element(times, {}, [](const auto& entry) { return entry.second; });
  return longest == times.end() ? 0 : longest->first;
}

std::string device_name(const GpuTrace& trace, std::int32_t device) {
  const auto known = std::ranges::find(trace.devices, device, &TraceDevice::index);
  if (known == trace.devices.end() || known->name.empty()) return fmt::format("GPU {}", device);
  return fmt::format("GPU {}, {}", device, known->name);
}

/// Adds the events of one device in the order they begin.
class TraceTimeline {
 public:
  TraceTimeline(const GpuTrace& trace, const NameRules& rules, std::int32_t device) : trace_(trace), rules_(rules) {
    for (const GpuEvent& event : trace.events)
      if (event.device == device) events_.push_back(&event);
    std::ranges::stable_sort(events_, {}, [](const GpuEvent* event) { return event->start_ns; });
    timeline_.gpu.emplace();
    timeline_.gpu->device = device;
    timeline_.gpu->heading = fmt::format("{}, {}", trace.format, device_name(trace, device));
    timeline_.gpu->names = trace.names;
  }

  Timeline make() {
    if (events_.empty()) return std::move(timeline_);
    find_steps();
    origin_ns_ = std::min(events_.front()->start_ns, steps_.empty() ? INT64_MAX : steps_.front().start_ns);
    timeline_.gpu->origin_ns = origin_ns_;
    add_steps();
    find_layers();
    for (const GpuEvent* event : events_) add(*event);
    flush_op();
    flush_layer();
    timeline_.end_ns = last_ns_;
    return std::move(timeline_);
  }

 private:
  struct StepTime {
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;
    std::size_t step = 0;
  };

  /// Steps that launched something here, one after the other.
  void find_steps() {
    std::vector<std::int64_t> ends(trace_.steps.size(), INT64_MIN);
    for (const GpuEvent* event : events_)
      if (event->step != kNoIndex)
        ends[trace_index(event->step)] = std::max(ends[trace_index(event->step)], event->end_ns);
    std::int64_t before_ns = INT64_MIN;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const std::int64_t start_ns = std::max(trace_.steps[i].start_ns, before_ns);
      if (ends[i] <= start_ns) continue;
      steps_.push_back({start_ns, ends[i], i});
      before_ns = ends[i];
    }
  }

  void add_steps() {
    std::map<std::string, std::uint32_t> known;
    for (const StepTime& time : steps_) {
      const TraceStep& step = trace_.steps[time.step];
      const int kind = step.phase ? static_cast<int>(*step.phase) : kMixedStep;
      timeline_.steps.add(time.start_ns - origin_ns_, time.end_ns - origin_ns_, kind);
      // Some recordings annotate a step without naming it.
      const std::string name = step.name.empty() ? phase_label(step) : step.name;
      const auto [entry, fresh] = known.try_emplace(name, static_cast<std::uint32_t>(timeline_.gpu->names.size()));
      if (fresh) timeline_.gpu->names.push_back(name);
      timeline_.gpu->step_names.push_back(entry->second);
      last_ns_ = std::max(last_ns_, time.end_ns - origin_ns_);
    }
    const int n = timeline_.steps.size();
    const bool decodes = std::ranges::any_of(
        steps_, [&](const StepTime& time) { return trace_.steps[time.step].phase == Phase::kDecode; });
    if (n > 0)
      timeline_.points.push_back(
          {timeline_.gpu->heading, decodes ? Phase::kDecode : Phase::kPrefill, n, /*first_step=*/0, n});
  }

  void add(const GpuEvent& event) {
    const std::int64_t start_ns = event.start_ns - origin_ns_;
    const std::int64_t end_ns = event.end_ns - origin_ns_;
    std::optional<std::int64_t> launch_ns;
    if (event.launch_ns) launch_ns = *event.launch_ns - origin_ns_;
    if (launch_ns) {
      timeline_.gpu->launches_known = true;
      // Before the first kernel nobody knows what the GPU did.
      const std::int64_t asked_ns = std::min(*launch_ns, start_ns);
      if (timeline_.kernels.size() > 0 && asked_ns > idle_from_ns_)
        timeline_.gpu->launch_gaps.add(idle_from_ns_, asked_ns, 0);
    }
    const auto group = static_cast<int>(group_of(event));
    timeline_.kernels.add(start_ns, end_ns, group);
    timeline_.gpu->kernels.push_back({start_ns, end_ns, event.name, event.stream, event.bytes, launch_ns});
    idle_from_ns_ = std::max(idle_from_ns_, end_ns);
    last_ns_ = std::max(last_ns_, end_ns);
    add_to_op(event, group);
    add_to_layer(event, group);
  }

  /// Names repeat: each is read once.
  KernelGroup group_of(const GpuEvent& event) {
    if (event.work != GpuWork::kKernel) return viewmodel::group_of(event, trace_, rules_);
    const auto [entry, fresh] = groups_.try_emplace(event.name, KernelGroup::kOther);
    if (fresh) entry->second = viewmodel::group_of(event, trace_, rules_);
    return entry->second;
  }

  void add_to_op(const GpuEvent& event, int group) {
    if (event.host_op != op_) flush_op();
    if (event.host_op == kNoIndex) return;
    if (op_ == kNoIndex) op_from_ns_ = event.start_ns - origin_ns_;
    op_ = event.host_op;
    op_to_ns_ = std::max(op_to_ns_, event.end_ns - origin_ns_);
    op_times_[trace_index(group)] += event.duration_ns();
  }

  void flush_op() {
    if (op_ != kNoIndex) {
      const auto longest = std::ranges::max_element(op_times_) - op_times_.begin();
      timeline_.ops.add(op_from_ns_, op_to_ns_, static_cast<int>(longest));
      timeline_.gpu->op_names.push_back(trace_.host_ops[trace_index(op_)].name);
    }
    op_ = kNoIndex;
    op_to_ns_ = 0;
    op_times_ = {};
  }

  /// Of every range: what it says itself, else what the one around it says.
  void find_layers() {
    std::map<std::uint32_t, std::int32_t> by_name;  // names repeat: each is read once
    layers_.reserve(trace_.host_ops.size());
    for (const HostOp& op : trace_.host_ops) {
      std::int32_t layer = op.layer;
      if (layer == kNoIndex) {
        const auto [entry, fresh] = by_name.try_emplace(op.name, kNoIndex);
        if (fresh) entry->second = rules_.layer_of(trace_.names[op.name]).value_or(kNoIndex);
        layer = entry->second;
      }
      if (layer == kNoIndex && op.parent != kNoIndex) layer = layers_[trace_index(op.parent)];
      layers_.push_back(layer);
    }
  }

  /// What nobody is known to have launched may be anybody's: it ends no layer.
  void add_to_layer(const GpuEvent& event, int group) {
    if (event.host_op == kNoIndex) return;
    const std::int32_t layer = layers_[trace_index(event.host_op)];
    if (layer != layer_ || event.step != layer_step_) flush_layer();
    if (layer == kNoIndex) return;
    if (layer_ == kNoIndex) layer_from_ns_ = event.start_ns - origin_ns_;
    layer_ = layer;
    layer_step_ = event.step;
    layer_to_ns_ = std::max(layer_to_ns_, event.end_ns - origin_ns_);
    layer_times_[trace_index(group)] += event.duration_ns();
  }

  void flush_layer() {
    if (layer_ != kNoIndex) {
      const auto longest = std::ranges::max_element(layer_times_) - layer_times_.begin();
      timeline_.layers.add(layer_from_ns_, layer_to_ns_, static_cast<int>(longest));
      timeline_.layer_numbers.push_back(layer_);
    }
    layer_ = kNoIndex;
    layer_to_ns_ = 0;
    layer_times_ = {};
  }

  const GpuTrace& trace_;
  const NameRules& rules_;
  std::vector<const GpuEvent*> events_;
  std::vector<StepTime> steps_;
  Timeline timeline_;
  std::int64_t origin_ns_ = 0;
  std::int64_t last_ns_ = 0;
  std::int64_t idle_from_ns_ = 0;
  std::map<std::uint32_t, KernelGroup> groups_;
  std::int32_t op_ = kNoIndex;
  std::int64_t op_from_ns_ = 0;
  std::int64_t op_to_ns_ = 0;
  TimelineRow::Busy op_times_{};
  std::vector<std::int32_t> layers_;  // of the host's operations
  std::int32_t layer_ = kNoIndex;
  std::int32_t layer_step_ = kNoIndex;
  std::int64_t layer_from_ns_ = 0;
  std::int64_t layer_to_ns_ = 0;
  TimelineRow::Busy layer_times_{};
};

}  // namespace

std::vector<RecordedDevice> devices_of(const GpuTrace& trace) {
  std::set<std::int32_t> numbers;
  for (const GpuEvent& event : trace.events) numbers.insert(event.device);
  std::vector<RecordedDevice> devices;
  for (const std::int32_t number : numbers) devices.push_back({number, device_name(trace, number)});
  return devices;
}

Timeline timeline_of_trace(const GpuTrace& trace, const NameRules& rules, std::optional<std::int32_t> device) {
  return TraceTimeline(trace, rules, device ? *device : busiest_device(trace)).make();
}

}  // namespace dachlast::viewmodel
