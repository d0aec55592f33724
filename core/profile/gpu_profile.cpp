#include "core/profile/gpu_profile.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <unordered_map>

#include "core/profile/phase_device.h"

namespace dachlast {
namespace {

using Families = std::array<EventTimes, kKernelFamilyCount>;

/// The family of every name of a trace: rules are read once a name, not once an event.
std::vector<KernelFamily> families_of(const GpuTrace& trace, const NameRules& rules) {
  std::vector<KernelFamily> families(trace.names.size(), KernelFamily::kOther);
  std::vector<char> known(trace.names.size(), 0);
  for (const GpuEvent& event : trace.events) {
    if (known[event.name] != 0) continue;
    known[event.name] = 1;
    families[event.name] = rules.family_of(trace.names[event.name]);
  }
  return families;
}

KernelFamily family_of(const GpuEvent& event, const std::vector<KernelFamily>& by_name) {
  if (event.work == GpuWork::kCopy) return KernelFamily::kCopy;
  if (event.work == GpuWork::kFill) return KernelFamily::kFill;
  return by_name[event.name];
}

template <class Group>
void sort_by_time(std::vector<Group>& groups, EventTimes Group::*times) {
  std::stable_sort(groups.begin(), groups.end(),
                   [&](const Group& a, const Group& b) { return (a.*times).total_ns > (b.*times).total_ns; });
}

std::vector<FamilyTimes> listed(const Families& families) {
  std::vector<FamilyTimes> list;
  for (int i = 0; i < kKernelFamilyCount; ++i)
    if (families[static_cast<std::size_t>(i)].n > 0)
      list.push_back({static_cast<KernelFamily>(i), families[static_cast<std::size_t>(i)]});
  sort_by_time(list, &FamilyTimes::times);
  return list;
}

std::vector<KernelTimes> kernels_of(const GpuTrace& trace, const std::vector<KernelFamily>& by_name) {
  std::unordered_map<std::uint32_t, EventTimes> times;
  for (const GpuEvent& event : trace.events)
    if (event.work == GpuWork::kKernel || event.work == GpuWork::kCommunication)
      times[event.name].add(event.duration_ns());
  std::vector<KernelTimes> kernels;
  for (const auto& [name, of_name] : times) kernels.push_back({trace.names[name], by_name[name], of_name});
  std::sort(kernels.begin(), kernels.end(), [](const KernelTimes& a, const KernelTimes& b) {
    return std::tie(b.times.total_ns, a.name) < std::tie(a.times.total_ns, b.name);
  });
  return kernels;
}

std::vector<TracedOpTimes> ops_of(const GpuTrace& trace) {
  const std::vector<std::int32_t> counted = counted_ops(trace);
  std::map<std::int32_t, std::int64_t> time_of_call;
  for (const GpuEvent& event : trace.events) {
    if (event.host_op == kNoIndex) continue;
    const std::int32_t call = counted[static_cast<std::size_t>(event.host_op)];
    if (call != kNoIndex) time_of_call[call] += event.duration_ns();
  }
  std::map<std::pair<std::uint32_t, std::int32_t>, EventTimes> by_shape;
  for (const auto& [call, time_ns] : time_of_call) {
    const HostOp& op = trace.host_ops[static_cast<std::size_t>(call)];
    by_shape[{op.name, op.operands}].add(time_ns);
  }
  std::vector<TracedOpTimes> ops;
  for (const auto& [key, times] : by_shape) {
    const std::string& name = trace.names[key.first];
    if (const auto op = traced_op(name, trace.operands[static_cast<std::size_t>(key.second)]))
      ops.push_back({name, *op, times});
  }
  sort_by_time(ops, &TracedOpTimes::calls);
  return ops;
}

std::vector<PhaseTimes> phases_of(const GpuTrace& trace, const std::vector<KernelFamily>& by_name) {
  std::map<std::string, PhaseTimes> phases;
  for (const TraceStep& step : trace.steps) {
    PhaseTimes& phase = phases[phase_label(step)];
    phase.label = phase_label(step);
    ++phase.n_steps;
    phase.n_sequences += step.n_sequences.value_or(0);
    phase.q_tokens += step.q_tokens.value_or(0);
    phase.kv_tokens += step.kv_tokens.value_or(0);
  }
  std::map<std::string, Families> families;
  for (const GpuEvent& event : trace.events) {
    if (event.step == kNoIndex) continue;
    const std::string label = phase_label(trace.steps[static_cast<std::size_t>(event.step)]);
    phases[label].gpu_ns += event.duration_ns();
    families[label][static_cast<std::size_t>(family_of(event, by_name))].add(event.duration_ns());
  }
  std::vector<PhaseTimes> list;
  for (auto& [label, phase] : phases) {
    phase.families = listed(families[label]);
    list.push_back(std::move(phase));
  }
  return list;
}

std::vector<DeviceTimeline> launched_timelines(const GpuTrace& trace) {
  std::vector<GpuEvent> launched;
  std::copy_if(trace.events.begin(), trace.events.end(), std::back_inserter(launched),
               [](const GpuEvent& event) { return event.launch == Launch::kRecorded; });
  if (launched.size() == trace.events.size() || launched.empty()) return {};
  return device_timelines(launched);
}

}  // namespace

std::vector<std::int32_t> counted_ops(const GpuTrace& trace) {
  std::vector<std::int32_t> counted(trace.host_ops.size(), kNoIndex);
  for (std::size_t i = 0; i < trace.host_ops.size(); ++i) {
    const HostOp& op = trace.host_ops[i];
    // Readers list parents before children.
    if (op.parent != kNoIndex) counted[i] = counted[static_cast<std::size_t>(op.parent)];
    if (op.operands != kNoIndex) counted[i] = static_cast<std::int32_t>(i);
  }
  return counted;
}

void EventTimes::add(std::int64_t duration_ns) {
  min_ns = n == 0 ? duration_ns : std::min(min_ns, duration_ns);
  max_ns = n == 0 ? duration_ns : std::max(max_ns, duration_ns);
  total_ns += duration_ns;
  ++n;
}

GpuProfile summarize(const GpuTrace& trace, const NameRules& rules) {
  const std::vector<KernelFamily> by_name = families_of(trace, rules);
  GpuProfile profile;
  profile.format = trace.format;
  profile.devices = trace.devices;
  profile.timelines = device_timelines(trace.events);
  profile.launched_timelines = launched_timelines(trace);
  Families families{};
  for (const GpuEvent& event : trace.events)
    families[static_cast<std::size_t>(family_of(event, by_name))].add(event.duration_ns());
  profile.families = listed(families);
  profile.kernels = kernels_of(trace, by_name);
  profile.ops = ops_of(trace);
  profile.phases = phases_of(trace, by_name);
  profile.sampled = sampled_counters(trace, rules);
  profile.remarks = trace.remarks;
  return profile;
}

std::optional<Verdict> judge_traced_op(const TracedOpTimes& op, const DeviceSpec& device, double threshold) {
  const auto peak = device.peak(op.op.arithmetic);
  const auto bandwidth = device.main_memory().bandwidth;
  if (!peak || !bandwidth) return std::nullopt;
  const auto n = static_cast<double>(op.calls.n);
  Load load;
  load.time = Seconds{static_cast<double>(op.calls.total_ns) * 1e-9};
  load.busy_time = load.time;
  load.memory_time = Seconds{n * op.op.cost.bytes().value / bandwidth->value};
  load.compute_time = Seconds{n * op.op.cost.flops.value / peak->value};
  load.least_time = std::max(load.memory_time, load.compute_time);
  load.n_calls = n;
  return judge(load, threshold);
}

std::optional<Verdict> judge_counters(const CounterKernel& kernel, double threshold) {
  if (!kernel.time || !kernel.memory_share || !kernel.compute_share) return std::nullopt;
  Load load;
  load.time = *kernel.time;
  load.busy_time = load.time;
  load.memory_time = Seconds{*kernel.memory_share * load.time.value};
  load.compute_time = Seconds{*kernel.compute_share * load.time.value};
  load.least_time = std::max(load.memory_time, load.compute_time);
  load.n_calls = 1;
  return judge(load, threshold);
}

}  // namespace dachlast
