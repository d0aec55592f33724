#include "core/viewmodel/attach_gpu_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/viewmodel/column_values.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/sampled_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

constexpr std::size_t kHostTimesShown = 12;

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

Table phase_devices_table(const std::vector<PhaseDevice>& rows) {
  TableBuilder builder("phase_devices", "Phases on each GPU");
  builder.text({"phase", "Phase", "", "Read from the annotations of the engine's steps", Align::kLeft, 0},
               texts(rows, [](const PhaseDevice& row) { return row.label; }));
  builder.count({"device", "GPU", "", "Number of the device", Align::kRight, 0},
                counts(rows, [](const PhaseDevice& row) { return row.device; }), Origin::kExact);
  builder.count({"steps", "Steps", "", "Annotated steps that launched something", Align::kRight, 1},
                counts(rows, [](const PhaseDevice& row) { return row.n_steps; }), Origin::kMeasured);
  builder.measure(
      {"span_s", "Span", "", "From a step's beginning on the host to the end of what it launched", Align::kRight, 0},
      Measure::kTime, numbers(rows, [](const PhaseDevice& row) { return seconds(row.span_ns); }), Origin::kMeasured);
  builder.percent({"busy_share", "Busy", "", "Share of the span with a kernel, copy or fill", Align::kRight, 0},
                  numbers(rows, [](const PhaseDevice& row) { return share(row.busy_ns, row.span_ns); }),
                  Origin::kMeasured);
  builder.measure({"idle_s", "Idle", "", "Nothing ran", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const PhaseDevice& row) { return seconds(row.idle_ns()); }), Origin::kMeasured);
  builder.measure(
      {"launch_gap_s", "Launch gap", "", "Idle before the host had asked for what ran next", Align::kRight, 0},
      Measure::kTime,
      numbers(rows,
              [](const PhaseDevice& row) -> std::optional<double> {
                return row.launch_gap_ns ? std::optional(seconds(*row.launch_gap_ns)) : std::nullopt;
              }),
      Origin::kMeasured);
  builder.measure({"copy_s", "Copies", "", "At least one copy or fill", Align::kRight, 2}, Measure::kTime,
                  numbers(rows, [](const PhaseDevice& row) { return seconds(row.copy_ns); }), Origin::kMeasured);
  builder.measure({"exposed_copy_s", "Exposed", "", "Copies and fills that no kernel hides", Align::kRight, 3},
                  Measure::kTime, numbers(rows, [](const PhaseDevice& row) { return seconds(row.exposed_copy_ns); }),
                  Origin::kMeasured);
  return builder.build();
}

/// Times of the same kind and name in all processes together, the longest first.
std::vector<AttachedHostTime> merged(const std::vector<AttachedHostTime>& times) {
  std::map<std::pair<HostTimeKind, std::string>, AttachedHostTime> sums;
  for (const AttachedHostTime& time : times) {
    AttachedHostTime& sum = sums[{time.kind, time.name}];
    sum.kind = time.kind;
    sum.name = time.name;
    sum.n += time.n;
    sum.total_ns += time.total_ns;
  }
  std::vector<AttachedHostTime> list;
  for (auto& [key, sum] : sums) list.push_back(std::move(sum));
  std::stable_sort(list.begin(), list.end(),
                   [](const AttachedHostTime& a, const AttachedHostTime& b) { return a.total_ns > b.total_ns; });
  return list;
}

Table host_times_table(const AttachedGpuPart& gpu) {
  std::vector<AttachedHostTime> rows = merged(gpu.host_times);
  const std::size_t n_all = rows.size();
  rows.resize(std::min(n_all, kHostTimesShown));
  TableBuilder builder("host_times", "CUDA on the host");
  builder.text({"kind", "Kind", "", "call, wait, or overhead of recording, compiling and loading", Align::kLeft, 0},
               texts(rows, [](const AttachedHostTime& row) { return std::string(name_of(row.kind)); }));
  builder.text({"name", "Name", "", "Of the call, or what the wait or overhead was for", Align::kLeft, 0},
               texts(rows, [](const AttachedHostTime& row) { return row.name; }));
  builder.count({"n", "Times", "", "How often", Align::kRight, 1},
                counts(rows, [](const AttachedHostTime& row) { return row.n; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum, all processes and threads", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const AttachedHostTime& row) { return seconds(row.total_ns); }), Origin::kMeasured);
  if (n_all > rows.size())
    builder.note(fmt::format("{} more are not listed.", format_count(static_cast<std::int64_t>(n_all - rows.size()))));
  return builder.build();
}

Table memory_table(const std::vector<AttachedMemory>& rows) {
  TableBuilder builder("gpu_memory", "Memory by kind");
  builder.count({"process", "Process", "", "In the order of the list of threads", Align::kRight, 2},
                counts(rows, [](const AttachedMemory& row) { return row.process + 1; }), Origin::kExact);
  builder.count({"device", "GPU", "", "Number of the device", Align::kRight, 0},
                counts(rows, [](const AttachedMemory& row) { return row.device; }), Origin::kExact);
  builder.text({"kind", "Kind", "", "Of the memory", Align::kLeft, 0},
               texts(rows, [](const AttachedMemory& row) { return row.kind; }));
  builder.count({"allocations", "Allocations", "", "How often memory was taken", Align::kRight, 1},
                counts(rows, [](const AttachedMemory& row) { return row.n_allocations; }), Origin::kMeasured);
  builder.measure({"peak_bytes", "Peak", "", "Most that was held at once", Align::kRight, 0}, Measure::kCapacity,
                  numbers(rows, [](const AttachedMemory& row) { return static_cast<double>(row.peak_bytes); }),
                  Origin::kMeasured);
  builder.measure(
      {"end_bytes", "At the end", "", "Not given back when the recording ended", Align::kRight, 1}, Measure::kCapacity,
      numbers(rows, [](const AttachedMemory& row) { return static_cast<double>(row.end_bytes); }), Origin::kMeasured);
  return builder.build();
}

AttachedGpuLoss sum_of(const std::vector<AttachedGpuLoss>& losses) {
  AttachedGpuLoss sum;
  for (const AttachedGpuLoss& loss : losses) {
    sum.n_dropped += loss.n_dropped;
    sum.n_unknown += loss.n_unknown;
    sum.lost_bytes += loss.lost_bytes;
    for (const std::string& note : loss.notes)
      if (std::find(sum.notes.begin(), sum.notes.end(), note) == sum.notes.end()) sum.notes.push_back(note);
  }
  return sum;
}

std::vector<Remark> remarks_of(const AttachedGpuPart& gpu) {
  const AttachedGpuLoss loss = sum_of(gpu.losses);
  std::vector<Remark> remarks;
  if (loss.n_dropped > 0)
    remarks.push_back({"gpu_dropped", fmt::format("{} of GPUs found no room and were dropped.",
                                                  counted(loss.n_dropped, "record", "records"))});
  if (loss.n_unknown > 0)
    remarks.push_back({"gpu_unknown", fmt::format("{} of CUPTI are of kinds this version does not read.",
                                                  counted(loss.n_unknown, "record", "records"))});
  if (loss.lost_bytes > 0)
    remarks.push_back(
        {"gpu_lost", fmt::format("{} bytes of CUPTI's buffers could not be read: a record was cut, or of a "
                                 "kind that CUPTI cannot walk over.",
                                 format_count(loss.lost_bytes))});
  for (const std::string& note : loss.notes) remarks.push_back({"gpu_note", note + (note.ends_with('.') ? "" : ".")});
  std::int64_t overhead_ns = 0;
  for (const AttachedHostTime& time : gpu.host_times)
    if (time.kind == HostTimeKind::kOverhead) overhead_ns += time.total_ns;
  if (overhead_ns > 0)
    remarks.push_back({"gpu_overhead", fmt::format("Recording, compiling and loading took {} of host time.",
                                                   format(Measure::kTime, seconds(overhead_ns)))});
  const auto n_unlaunched = std::count_if(gpu.work.begin(), gpu.work.end(),
                                          [](const AttachedWork& work) { return work.thread == kNoThread; });
  if (n_unlaunched > 0)
    remarks.push_back({"gpu_unlaunched",
                       fmt::format("{} of GPUs carry no recorded call, so no range or phase: they count for the device "
                                   "alone.",
                                   counted(n_unlaunched, "event", "events"))});
  return remarks;
}

}  // namespace

AttachGpuView attach_gpu_view(const AttachedGpuPart& gpu, const GpuProfile& profile,
                              const std::vector<PhaseDevice>& phases, const ProfileViewOptions& options) {
  AttachGpuView view;
  view.profile = profile_view(profile, options);
  view.profile.phases.title = "GPU work of phases";
  if (gpu.work.empty()) view.profile.phases.rows.clear();  // a recording of counters has no times
  view.sampled = sampled_table(profile, options);
  view.sampled_devices = sampled_devices_table(profile);
  for (std::string& sentence : sampled_sentences(profile, options)) view.profile.answer.push_back(std::move(sentence));
  view.phase_devices = phase_devices_table(phases);
  view.host_times = host_times_table(gpu);
  view.memory = memory_table(gpu.memory);
  view.remarks = remarks_of(gpu);
  return view;
}

}  // namespace dachlast::viewmodel
