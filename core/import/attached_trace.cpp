#include "core/import/attached_trace.h"

#include <map>
#include <utility>

#include "core/import/launch_links.h"
#include "core/import/name_table.h"
#include "core/import/step_ranges.h"

namespace dachlast {
namespace {

GpuWork work_of(const AttachedWork& work, const std::string& name, const NameRules& rules) {
  if (work.activity == AttachedActivity::kCopy) return GpuWork::kCopy;
  if (work.activity == AttachedActivity::kFill) return GpuWork::kFill;
  return rules.family_of(name) == KernelFamily::kCommunication ? GpuWork::kCommunication : GpuWork::kKernel;
}

class TraceBuilder {
 public:
  TraceBuilder(const AttachRecord& record, const NameRules& rules) : record_(record), rules_(rules) {
    for (const std::string& name : record.names) numbers_.push_back(names_.index_of(name));
  }

  GpuTrace build() {
    trace_.format = "Attached program";
    for (const AttachedGpu& gpu : record_.gpu.gpus) trace_.devices.push_back({gpu.index, gpu.name});
    for (const AttachedRange& range : record_.ranges) take_range(range);
    nest();
    for (const AttachedWork& work : record_.gpu.work) take_work(work);
    for (const AttachedSample& sample : record_.gpu.samples)
      trace_.samples.push_back({sample.start_ns, sample.end_ns, sample.uncertainty_ns, sample.device,
                                Bytes{sample.read_bytes}, Bytes{sample.written_bytes}});
    trace_.steps = std::move(steps_).take();
    trace_.names = std::move(names_).take();
    return std::move(trace_);
  }

 private:
  const std::string& text_of(std::int32_t name) const { return record_.names[static_cast<std::size_t>(name)]; }

  /// Ranges that end by number may overlap others, so no launch is assigned to them; as steps they do.
  void take_range(const AttachedRange& range) {
    if (range.end == RangeEnd::kMark) return;
    const HostRange host{static_cast<std::uint64_t>(range.thread), range.start_ns, range.end_ns};
    if (auto step = rules_.step_of(text_of(range.name))) {
      steps_.add(*std::move(step), host);
    } else if (range.end != RangeEnd::kStopped) {
      ranges_.add(host, numbers_[static_cast<std::size_t>(range.name)],
                  layer_of_payload(range.payload).value_or(kNoIndex));
    }
  }

  void nest() {
    ranges_.nest(trace_.host_ops);
    steps_.finish();
  }

  void take_work(const AttachedWork& work) {
    GpuEvent event;
    event.start_ns = work.start_ns;
    event.end_ns = work.end_ns;
    event.bytes = work.bytes;
    event.name = numbers_[static_cast<std::size_t>(work.name)];
    event.device = work.device;
    event.stream = work.stream;
    event.work = work_of(work, text_of(work.name), rules_);
    event.launch = work.thread == kNoThread ? Launch::kMissing : Launch::kRecorded;
    if (work.thread != kNoThread) {
      const auto thread = static_cast<std::uint64_t>(work.thread);
      event.launch_ns = work.launch_start_ns;
      event.host_op = ranges_.innermost(thread, work.launch_start_ns);
      event.step = steps_.around(thread, work.launch_start_ns);
    }
    trace_.events.push_back(event);
  }

  const AttachRecord& record_;
  const NameRules& rules_;
  GpuTrace trace_;
  NameTable names_;
  std::vector<std::uint32_t> numbers_;  // of the record's names
  NestedRanges ranges_;
  StepRanges steps_;
};

/// Metrics go by the names of their role, which metric sets give them: see core/collect/cupti/metric_sets.
void add_counter(CounterKernel& kernel, double& flops, const std::string& role, double value) {
  if (role == "time_ns") kernel.time = Seconds{value * 1e-9};
  if (role == "dram_read_bytes") kernel.read_bytes = Bytes{value};
  if (role == "dram_write_bytes") kernel.written_bytes = Bytes{value};
  if (role == "dram_share_percent") kernel.memory_share = value / 100.0;
  if (role == "sm_share_percent") kernel.compute_share = value / 100.0;
  if (role == "fp32_ffma") flops += 2.0 * value;
  if (role == "fp32_fadd" || role == "fp32_fmul" || role.starts_with("tensor_")) flops += value;
}

/// Work is a sum over units: it is known only where tensor units and FP32 instructions were both counted.
struct CountedKernel {
  CounterKernel kernel;
  double flops = 0.0;
  bool has_tensor = false;
  bool has_fp32 = false;
};

}  // namespace

GpuTrace attached_trace(const AttachRecord& record, const NameRules& rules) {
  return TraceBuilder(record, rules).build();
}

std::vector<CounterKernel> attached_counters(const AttachRecord& record, const NameRules& rules) {
  std::map<std::pair<std::int32_t, std::int32_t>, CountedKernel> by_range;  // by process and launch
  for (const AttachedCounter& counter : record.gpu.counters) {
    CountedKernel& counted = by_range[{counter.process, counter.range}];
    const std::string& role = record.names[static_cast<std::size_t>(counter.metric)];
    counted.kernel.name = record.names[static_cast<std::size_t>(counter.kernel)];
    counted.kernel.family = rules.family_of(counted.kernel.name);
    counted.has_tensor = counted.has_tensor || role.starts_with("tensor_");
    counted.has_fp32 = counted.has_fp32 || role == "fp32_ffma";
    add_counter(counted.kernel, counted.flops, role, counter.value);
  }
  std::vector<CounterKernel> kernels;
  for (auto& [range, counted] : by_range) {
    if (counted.has_tensor && counted.has_fp32) counted.kernel.flops = Flops{counted.flops};
    kernels.push_back(std::move(counted.kernel));
  }
  return kernels;
}

}  // namespace dachlast
