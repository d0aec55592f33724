#include "core/viewmodel/profile_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "core/viewmodel/column_values.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

std::optional<double> share_of(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

Table timelines_table(const GpuProfile& profile) {
  const auto& rows = profile.timelines;
  const auto time_column = [](std::string key, std::string title, std::string description, int drop = 0) {
    return Column{std::move(key), std::move(title), "", std::move(description), Align::kRight, drop};
  };
  TableBuilder builder("timelines", "Devices");
  const auto& title = [&](const DeviceTimeline& t) { return std::to_string(t.device); };
  builder.text({"device", "GPU", "", "Number of the device in the recording", Align::kLeft, 0}, texts(rows, title));
  const auto add = [&](Column column, auto get) {
    builder.in_unit_of(std::move(column), unit_for(Measure::kTime, rows.empty() ? 0.0 : seconds(rows.front().span_ns)),
                       numbers(rows, [&](const DeviceTimeline& t) { return seconds(get(t)); }), Origin::kMeasured);
  };
  add(time_column("span_s", "Span", "From the first event to the end of the last"),
      [](const DeviceTimeline& t) { return t.span_ns; });
  add(time_column("busy_s", "Busy", "At least one kernel, copy or fill"),
      [](const DeviceTimeline& t) { return t.busy_ns(); });
  builder.percent({"busy_share", "Busy", "", "Share of the span", Align::kRight, 0},
                  numbers(rows, [](const DeviceTimeline& t) { return share_of(t.busy_ns(), t.span_ns); }),
                  Origin::kMeasured);
  add(time_column("compute_s", "Kernels", "At least one kernel that computes", 1),
      [](const DeviceTimeline& t) { return t.compute_ns; });
  add(time_column("exposed_communication_s", "Comm.", "Communication that no kernel hides", 3),
      [](const DeviceTimeline& t) { return t.exposed_communication_ns; });
  add(time_column("exposed_copy_s", "Copies", "Copies and fills that nothing hides", 2),
      [](const DeviceTimeline& t) { return t.exposed_copy_ns; });
  add(time_column("idle_s", "Idle", "Nothing ran"), [](const DeviceTimeline& t) { return t.idle_ns(); });
  return builder.build();
}

Table families_table(const std::vector<FamilyTimes>& rows) {
  std::int64_t total_ns = 0;
  for (const FamilyTimes& row : rows) total_ns += row.times.total_ns;
  TableBuilder builder("families", "What the time went to");
  builder.text({"family", "Family", "", "What a kernel is for, read from its name", Align::kLeft, 0},
               texts(rows, [](const FamilyTimes& row) { return display_name_of(row.family); }));
  builder.count({"calls", "Calls", "", "Kernels, copies or fills", Align::kRight, 1},
                counts(rows, [](const FamilyTimes& row) { return row.times.n; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum of durations; overlapping ones count twice", Align::kRight, 0},
                  Measure::kTime, numbers(rows, [](const FamilyTimes& row) { return seconds(row.times.total_ns); }),
                  Origin::kMeasured);
  builder.percent({"share", "Share", "", "Of the sum of all durations", Align::kRight, 0},
                  numbers(rows, [&](const FamilyTimes& row) { return share_of(row.times.total_ns, total_ns); }),
                  Origin::kMeasured);
  return builder.build();
}

std::string shortened(const std::string& name) {
  constexpr std::size_t kLongest = 60;
  if (name.size() <= kLongest) return name;
  std::size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;  // no UTF-8 letter is cut
  return name.substr(0, end) + "…";
}

/// Names shortened for the eye, whole for machines.
std::vector<Cell> name_cells(const std::vector<std::string>& names) {
  std::vector<Cell> cells;
  for (const std::string& name : names) cells.push_back({name, shortened(name), std::nullopt});
  return cells;
}

Table kernels_table(const GpuProfile& profile, std::size_t n_rows) {
  const std::size_t n = std::min(n_rows, profile.kernels.size());
  const std::vector<KernelTimes> rows(profile.kernels.begin(),
                                      profile.kernels.begin() + static_cast<std::ptrdiff_t>(n));
  std::int64_t total_ns = 0;
  for (const KernelTimes& kernel : profile.kernels) total_ns += kernel.times.total_ns;
  TableBuilder builder("kernels", "Kernels");
  builder.cells({"kernel", "Kernel", "", "Name as recorded", Align::kLeft, 0},
                name_cells(texts(rows, [](const KernelTimes& row) { return row.name; })));
  builder.text({"family", "Family", "", "What it is for, read from its name", Align::kLeft, 2},
               texts(rows, [](const KernelTimes& row) { return display_name_of(row.family); }));
  builder.count({"calls", "Calls", "", "Launches", Align::kRight, 3},
                counts(rows, [](const KernelTimes& row) { return row.times.n; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum of durations", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const KernelTimes& row) { return seconds(row.times.total_ns); }), Origin::kMeasured);
  builder.percent({"share", "Share", "", "Of the sum of all kernels", Align::kRight, 1},
                  numbers(rows, [&](const KernelTimes& row) { return share_of(row.times.total_ns, total_ns); }),
                  Origin::kMeasured);
  if (n < profile.kernels.size())
    builder.note(fmt::format("{} more kernels are not listed.",
                             format_count(static_cast<std::int64_t>(profile.kernels.size() - n))));
  return builder.build();
}

Table phases_table(const GpuProfile& profile) {
  const auto& rows = profile.phases;
  TableBuilder builder("phases", "Phases");
  builder.text({"phase", "Phase", "", "Read from the annotations of the engine's steps", Align::kLeft, 0},
               texts(rows, [](const PhaseTimes& row) { return row.label; }));
  builder.count({"steps", "Steps", "", "Annotated steps", Align::kRight, 0},
                counts(rows, [](const PhaseTimes& row) { return row.n_steps; }), Origin::kMeasured);
  const auto known = [](std::int64_t count) -> std::optional<double> {
    return count > 0 ? std::optional(static_cast<double>(count)) : std::nullopt;
  };
  builder.measure({"q_tokens", "New tokens", "", "Tokens that the steps read or produced", Align::kRight, 1},
                  Measure::kCount, numbers(rows, [&](const PhaseTimes& row) { return known(row.q_tokens); }),
                  Origin::kMeasured);
  builder.measure(
      {"kv_tokens", "Cached tokens", "", "Tokens that attention read, all sequences and steps", Align::kRight, 2},
      Measure::kCount, numbers(rows, [&](const PhaseTimes& row) { return known(row.kv_tokens); }), Origin::kMeasured);
  builder.measure({"gpu_s", "GPU time", "", "Sum of what the steps launched", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const PhaseTimes& row) { return seconds(row.gpu_ns); }), Origin::kMeasured);
  builder.text({"most", "Most of it", "", "The family with most of the time", Align::kLeft, 3},
               texts(rows, [](const PhaseTimes& row) {
                 return row.families.empty() ? std::string(kMissing) : display_name_of(row.families.front().family);
               }));
  return builder.build();
}

std::string verdict_word(const std::optional<Verdict>& verdict) {
  return verdict ? std::string(display_name_of(verdict->bound)) : std::string(kMissing);
}

Table ops_table_of(const GpuProfile& profile, const ProfileViewOptions& options) {
  const auto& rows = profile.ops;
  const auto verdict_of = [&](const TracedOpTimes& row) {
    return options.device ? judge_traced_op(row, *options.device, options.threshold) : std::nullopt;
  };
  const auto rate = [](const TracedOpTimes& row, double amount) {
    return amount * static_cast<double>(row.calls.n) / seconds(row.calls.total_ns);
  };
  TableBuilder builder("ops", "Operators with shapes");
  builder.text({"op", "Operator", "", "Name as recorded", Align::kLeft, 3},
               texts(rows, [](const TracedOpTimes& row) { return row.name; }));
  builder.text({"shape", "Shape", "", "Of one call", Align::kLeft, 0},
               texts(rows, [](const TracedOpTimes& row) { return row.op.shape; }));
  builder.count({"calls", "Calls", "", "With this shape", Align::kRight, 5},
                counts(rows, [](const TracedOpTimes& row) { return row.calls.n; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum of what the calls launched", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const TracedOpTimes& row) { return seconds(row.calls.total_ns); }),
                  Origin::kMeasured);
  builder.measure({"flop", "Work a call", "", "Counted from the shape", Align::kRight, 7}, Measure::kWork,
                  numbers(rows, [](const TracedOpTimes& row) { return row.op.cost.flops.value; }), Origin::kEstimated);
  builder.measure({"bytes", "Bytes a call", "", "Each operand once", Align::kRight, 7}, Measure::kTraffic,
                  numbers(rows, [](const TracedOpTimes& row) { return row.op.cost.bytes().value; }),
                  Origin::kEstimated);
  builder.measure(
      {"intensity_flop_per_byte", "Intensity", "", "Work / bytes", Align::kRight, 6}, Measure::kIntensity,
      numbers(rows, [](const TracedOpTimes& row) { return (row.op.cost.flops / row.op.cost.bytes()).value; }),
      Origin::kEstimated);
  builder.measure({"flop_per_s", "Rate", "", "Work / time", Align::kRight, 1}, Measure::kWorkRate,
                  numbers(rows, [&](const TracedOpTimes& row) { return rate(row, row.op.cost.flops.value); }),
                  Origin::kEstimated);
  builder.measure({"bytes_per_s", "Traffic", "", "Bytes / time", Align::kRight, 2}, Measure::kBandwidth,
                  numbers(rows, [&](const TracedOpTimes& row) { return rate(row, row.op.cost.bytes().value); }),
                  Origin::kEstimated);
  builder.text({"bound", "Bound", "", "By the listed roofs of the device", Align::kLeft, 0},
               texts(rows, [&](const TracedOpTimes& row) { return verdict_word(verdict_of(row)); }));
  return builder.build();
}

Table counters_table(const GpuProfile& profile, const ProfileViewOptions& options) {
  const auto& rows = profile.counters;
  const auto value_of = [](const auto& quantity) -> std::optional<double> {
    return quantity ? std::optional(quantity->value) : std::nullopt;
  };
  TableBuilder builder("counters", "Counters");
  builder.cells({"kernel", "Kernel", "", "Name as recorded", Align::kLeft, 0},
                name_cells(texts(rows, [](const CounterKernel& row) { return row.name; })));
  builder.text({"family", "Family", "", "What it is for, read from its name", Align::kLeft, 3},
               texts(rows, [](const CounterKernel& row) { return display_name_of(row.family); }));
  builder.measure({"time_s", "Time", "", "Of the kernel alone", Align::kRight, 1}, Measure::kTime,
                  numbers(rows, [&](const CounterKernel& row) { return value_of(row.time); }), Origin::kMeasured);
  builder.measure({"dram_read_bytes", "DRAM read", "", "Counted by the memory controllers", Align::kRight, 4},
                  Measure::kTraffic, numbers(rows, [&](const CounterKernel& row) { return value_of(row.read_bytes); }),
                  Origin::kMeasured);
  builder.measure({"dram_written_bytes", "DRAM written", "", "Counted by the memory controllers", Align::kRight, 5},
                  Measure::kTraffic,
                  numbers(rows, [&](const CounterKernel& row) { return value_of(row.written_bytes); }),
                  Origin::kMeasured);
  builder.measure({"flop", "Work", "", "Tensor units and FP32 instructions", Align::kRight, 6}, Measure::kWork,
                  numbers(rows, [&](const CounterKernel& row) { return value_of(row.flops); }), Origin::kMeasured);
  builder.percent({"memory_share", "Memory", "", "Of the peak DRAM throughput", Align::kRight, 0},
                  numbers(rows, [](const CounterKernel& row) { return row.memory_share; }), Origin::kMeasured);
  builder.percent({"compute_share", "SM", "", "Of the peak throughput of the busiest unit", Align::kRight, 0},
                  numbers(rows, [](const CounterKernel& row) { return row.compute_share; }), Origin::kMeasured);
  builder.text(
      {"bound", "Bound", "", "The larger share names it", Align::kLeft, 0},
      texts(rows, [&](const CounterKernel& row) { return verdict_word(judge_counters(row, options.threshold)); }));
  return builder.build();
}

std::string device_sentence(const DeviceTimeline& t) {
  return fmt::format("GPU {} was busy {} of {}: {} in kernels, {} idle.", t.device,
                     format_percent(share_of(t.busy_ns(), t.span_ns).value_or(0.0)),
                     format(Measure::kTime, seconds(t.span_ns)), format(Measure::kTime, seconds(t.compute_ns)),
                     format(Measure::kTime, seconds(t.idle_ns())));
}

std::string busiest_sentence(const GpuProfile& profile) {
  const auto by_share = [](const DeviceTimeline& a, const DeviceTimeline& b) {
    return share_of(a.busy_ns(), a.span_ns).value_or(0.0) < share_of(b.busy_ns(), b.span_ns).value_or(0.0);
  };
  const auto [least, most] = std::minmax_element(profile.timelines.begin(), profile.timelines.end(), by_share);
  const std::string low = format_percent(share_of(least->busy_ns(), least->span_ns).value_or(0.0));
  const std::string high = format_percent(share_of(most->busy_ns(), most->span_ns).value_or(0.0));
  if (low == high) return fmt::format("{} GPUs were busy {} of their time.", profile.timelines.size(), low);
  return fmt::format("{} GPUs were busy between {} and {} of their time.", profile.timelines.size(), low, high);
}

std::string families_sentence(const GpuProfile& profile) {
  std::int64_t total_ns = 0;
  for (const FamilyTimes& row : profile.families) total_ns += row.times.total_ns;
  std::string list;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, profile.families.size()); ++i)
    list += fmt::format("{}{} {}", i == 0 ? "" : ", ", display_name_of(profile.families[i].family),
                        format_percent(share_of(profile.families[i].times.total_ns, total_ns).value_or(0.0)));
  return fmt::format("Most of the GPU time: {}.", list);
}

/// How the operators of a kind stand against the roofs, all their shapes together.
std::optional<std::string> kind_sentence(const GpuProfile& profile, const ProfileViewOptions& options,
                                         TracedOpKind kind) {
  Load sum;
  double n_calls = 0;
  for (const TracedOpTimes& op : profile.ops) {
    if (op.op.kind != kind) continue;
    const auto verdict = judge_traced_op(op, *options.device, options.threshold);
    if (!verdict) continue;
    sum.time = Seconds{sum.time.value + verdict->load.time.value};
    sum.memory_time = Seconds{sum.memory_time.value + verdict->load.memory_time.value};
    sum.compute_time = Seconds{sum.compute_time.value + verdict->load.compute_time.value};
    sum.least_time = Seconds{sum.least_time.value + verdict->load.least_time.value};
    n_calls += verdict->load.n_calls;
  }
  sum.busy_time = sum.time;
  sum.n_calls = n_calls;
  const auto verdict = judge(sum, options.threshold);
  if (!verdict) return std::nullopt;
  return fmt::format("{} with known shapes: {}, {} of the compute roof and {} of the bandwidth (estimated): {}.",
                     kind == TracedOpKind::kGemm ? "Matrix products" : "Attention",
                     format(Measure::kTime, sum.time.value), format_percent(verdict->utilisation.compute),
                     format_percent(verdict->utilisation.memory), display_name_of(verdict->bound));
}

std::string counters_sentence(const GpuProfile& profile, double threshold) {
  std::map<std::string, int> n_by_bound;
  std::int64_t n_kernels = 0;
  for (const CounterKernel& kernel : profile.counters) {
    if (kernel.name.starts_with("[GPU ")) continue;  // samples of a whole GPU, as older versions kept them
    ++n_kernels;
    ++n_by_bound[verdict_word(judge_counters(kernel, threshold))];
  }
  if (n_kernels == 0) return {};
  std::string list;
  for (const auto& [bound, n] : n_by_bound)
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", n, bound == kMissing ? "without a verdict" : bound);
  return fmt::format("Counters of {}: {}.", counted(n_kernels, "kernel", "kernels"), list);
}

std::vector<std::string> answer_of(const GpuProfile& profile, const ProfileViewOptions& options) {
  std::vector<std::string> answer;
  if (profile.timelines.size() == 1) answer.push_back(device_sentence(profile.timelines.front()));
  if (profile.timelines.size() > 1) answer.push_back(busiest_sentence(profile));
  if (!profile.families.empty()) answer.push_back(families_sentence(profile));
  if (options.device)
    for (const TracedOpKind kind : {TracedOpKind::kGemm, TracedOpKind::kAttention})
      if (const auto sentence = kind_sentence(profile, options, kind)) answer.push_back(*sentence);
  if (const std::string counters = counters_sentence(profile, options.threshold); !counters.empty())
    answer.push_back(counters);
  return answer;
}

std::string title_of(const GpuProfile& profile) {
  for (const DeviceTimeline& timeline : profile.timelines)
    for (const TraceDevice& device : profile.devices)
      if (device.index == timeline.device && !device.name.empty())
        return fmt::format("{}, {}", profile.format, device.name);
  return profile.format;
}

std::string roofs_line(const GpuProfile& profile, const ProfileViewOptions& options) {
  if (profile.ops.empty()) return {};
  if (!options.device) return "No verdicts on shapes: the device is not known. Name it with --gpu.";
  return fmt::format("Verdicts: against the listed roofs of {}, threshold {}.", options.device->name,
                     format_percent(options.threshold));
}

std::vector<Remark> remarks_of(const GpuProfile& profile) {
  std::vector<Remark> remarks = profile.remarks;
  for (const DeviceTimeline& t : profile.launched_timelines)
    remarks.push_back(
        {"launched_span",
         fmt::format("GPU {}, only what was launched within the recording: busy {} of {}, {} in kernels.", t.device,
                     format(Measure::kTime, seconds(t.busy_ns())), format(Measure::kTime, seconds(t.span_ns)),
                     format(Measure::kTime, seconds(t.compute_ns)))});
  return remarks;
}

}  // namespace

std::string display_name_of(KernelFamily family) {
  switch (family) {
    case KernelFamily::kGemm: return "GEMM";
    case KernelFamily::kMoe: return "experts";
    case KernelFamily::kRope: return "RoPE";
    case KernelFamily::kKvCache: return "KV cache";
    default: return std::string(name_of(family));
  }
}

Table traced_ops_table(const GpuProfile& profile, const ProfileViewOptions& options) {
  return ops_table_of(profile, options);
}

ProfileView profile_view(const GpuProfile& profile, const ProfileViewOptions& options) {
  ProfileView view;
  view.title = title_of(profile);
  view.answer = answer_of(profile, options);
  view.roofs_line = roofs_line(profile, options);
  view.timelines = timelines_table(profile);
  view.phases = phases_table(profile);
  view.families = families_table(profile.families);
  view.ops = ops_table_of(profile, options);
  view.kernels = kernels_table(profile, options.n_kernels);
  view.counters = counters_table(profile, options);
  view.remarks = remarks_of(profile);
  return view;
}

}  // namespace dachlast::viewmodel
