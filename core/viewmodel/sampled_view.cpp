#include "core/viewmodel/sampled_view.h"

#include <fmt/core.h>

#include "core/viewmodel/column_values.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

constexpr std::size_t kKernelsShown = 10;

std::optional<BytesPerSecond> listed_bandwidth(const ProfileViewOptions& options) {
  return options.device ? options.device->main_memory().bandwidth : std::nullopt;
}

std::optional<double> share_of(const SampledCounters& row, const ProfileViewOptions& options) {
  const auto bandwidth = listed_bandwidth(options);
  return bandwidth ? sampled_memory_share(row, *bandwidth) : std::nullopt;
}

std::optional<double> value_of(const std::optional<BytesPerSecond>& rate) {
  return rate ? std::optional(rate->value) : std::nullopt;
}

std::string label_of(const SampledCounters& row) {
  if (row.group != SampleGroup::kFamily) return row.label;
  for (int i = 0; i < kKernelFamilyCount; ++i)
    if (const auto family = static_cast<KernelFamily>(i); row.label == name_of(family)) return display_name_of(family);
  return row.label;
}

std::string roof_word(const SampledCounters& row, const ProfileViewOptions& options) {
  const auto share = share_of(row, options);
  if (!share) return std::string(kMissing);
  return *share >= options.threshold ? "reached" : "not reached";
}

/// Phases and families all, of kernels the longest.
std::vector<SampledCounters> rows_shown(const std::vector<SampledCounters>& rows) {
  std::vector<SampledCounters> shown;
  std::size_t n_kernels = 0;
  for (const SampledCounters& row : rows)
    if (row.group != SampleGroup::kKernel || n_kernels++ < kKernelsShown) shown.push_back(row);
  return shown;
}

void add_counters(TableBuilder& builder, const std::vector<SampledCounters>& rows) {
  builder.count({"samples", "Samples", "", "In which nothing else of its kind ran", Align::kRight, 3},
                counts(rows, [](const SampledCounters& row) { return row.n_samples; }), Origin::kMeasured);
  builder.measure({"busy_s", "Busy", "", "At least one of its kernels, copies or fills", Align::kRight, 2},
                  Measure::kTime, numbers(rows, [](const SampledCounters& row) { return seconds(row.busy_ns); }),
                  Origin::kMeasured);
  builder.percent({"coverage", "Covered", "", "Share of the busy time under these samples", Align::kRight, 0},
                  numbers(rows, [](const SampledCounters& row) { return std::optional(row.coverage()); }),
                  Origin::kMeasured);
  builder.measure(
      {"dram_read_bytes_per_s", "DRAM read", "", "Bytes of the samples over covered time", Align::kRight, 4},
      Measure::kBandwidth, numbers(rows, [](const SampledCounters& row) { return value_of(row.read_rate()); }),
      Origin::kMeasured);
  builder.measure(
      {"dram_written_bytes_per_s", "DRAM written", "", "Bytes of the samples over covered time", Align::kRight, 5},
      Measure::kBandwidth, numbers(rows, [](const SampledCounters& row) { return value_of(row.written_rate()); }),
      Origin::kMeasured);
}

std::string rule_note() {
  return fmt::format(
      "Shares stand where samples in which nothing else of its kind ran cover at least {} of the busy time, {} of them "
      "at "
      "least.",
      format_percent(kEnoughCoverage), format_count(kEnoughSamples));
}

std::string roof_note(const ProfileViewOptions& options) {
  const auto bandwidth = listed_bandwidth(options);
  if (!bandwidth) return "No shares: the bandwidth of the device is not known.";
  return fmt::format("Memory roof: {}, the listed bandwidth; reached from {} on.",
                     format(Measure::kBandwidth, bandwidth->value), format_percent(options.threshold));
}

std::vector<std::int64_t> straddling(const std::vector<SampledDevice>& rows, SampleGroup group) {
  return counts(rows, [group](const SampledDevice& row) { return row.n_straddling[static_cast<std::size_t>(group)]; });
}

}  // namespace

Table sampled_table(const GpuProfile& profile, const ProfileViewOptions& options) {
  const std::vector<SampledCounters> rows = rows_shown(profile.sampled.rows);
  TableBuilder builder("sampled", "Sampled counters");
  builder.text({"group", "Of", "", "phase, family of kernels, or kernel", Align::kLeft, 1},
               texts(rows, [](const SampledCounters& row) { return std::string(name_of(row.group)); }));
  builder.text({"name", "Name", "", "As annotated or recorded", Align::kLeft, 0}, texts(rows, label_of));
  builder.count({"device", "GPU", "", "Number of the device", Align::kRight, 0},
                counts(rows, [](const SampledCounters& row) { return row.device; }), Origin::kExact);
  add_counters(builder, rows);
  builder.percent({"memory_share", "Memory", "", "Of the listed bandwidth", Align::kRight, 0},
                  numbers(rows, [&](const SampledCounters& row) { return share_of(row, options); }), Origin::kMeasured);
  builder.text({"memory_roof", "Memory roof", "", "Whether memory bounds it", Align::kLeft, 0},
               texts(rows, [&](const SampledCounters& row) { return roof_word(row, options); }));
  if (!rows.empty()) builder.note(rule_note()).note(roof_note(options));
  if (const std::size_t n_left = profile.sampled.rows.size() - rows.size(); n_left > 0)
    builder.note(fmt::format("{} more kernels are not listed.", format_count(static_cast<std::int64_t>(n_left))));
  return builder.build();
}

Table sampled_devices_table(const GpuProfile& profile) {
  const std::vector<SampledDevice>& rows = profile.sampled.devices;
  TableBuilder builder("sampled_devices", "Samples of each GPU");
  builder.count({"device", "GPU", "", "Number of the device", Align::kRight, 0},
                counts(rows, [](const SampledDevice& row) { return row.device; }), Origin::kExact);
  builder.count({"samples", "Samples", "", "Of the whole GPU", Align::kRight, 0},
                counts(rows, [](const SampledDevice& row) { return row.n_samples; }), Origin::kMeasured);
  builder.measure({"time_s", "Time", "", "Sum of their lengths", Align::kRight, 0}, Measure::kTime,
                  numbers(rows, [](const SampledDevice& row) { return seconds(row.time_ns); }), Origin::kMeasured);
  builder.measure(
      {"dram_read_bytes", "DRAM read", "", "Counted by the memory controllers", Align::kRight, 0}, Measure::kTraffic,
      numbers(rows, [](const SampledDevice& row) { return std::optional(row.read.value); }), Origin::kMeasured);
  builder.measure({"dram_written_bytes", "DRAM written", "", "Counted by the memory controllers", Align::kRight, 0},
                  Measure::kTraffic,
                  numbers(rows, [](const SampledDevice& row) { return std::optional(row.written.value); }),
                  Origin::kMeasured);
  builder.count({"idle", "Idle", "", "Samples in which nothing ran", Align::kRight, 1},
                counts(rows, [](const SampledDevice& row) { return row.n_idle; }), Origin::kMeasured);
  builder.count({"across_phases", "Across phases", "", "Samples of no phase, because two ran", Align::kRight, 2},
                straddling(rows, SampleGroup::kPhase), Origin::kMeasured);
  builder.count({"across_families", "Across families", "", "Samples of no family, because two ran", Align::kRight, 3},
                straddling(rows, SampleGroup::kFamily), Origin::kMeasured);
  builder.count({"across_kernels", "Across kernels", "", "Samples of no kernel, because two ran", Align::kRight, 4},
                straddling(rows, SampleGroup::kKernel), Origin::kMeasured);
  builder.count({"unplaced", "Unplaced", "", "Samples whose clock cannot be tied to CUPTI's", Align::kRight, 5},
                counts(rows, [](const SampledDevice& row) { return row.n_unplaced; }), Origin::kMeasured);
  builder.measure(
      {"uncertainty_s", "Give or take", "", "The largest uncertainty of a sample's time, either way", Align::kRight, 1},
      Measure::kTime,
      numbers(rows,
              [](const SampledDevice& row) -> std::optional<double> {
                if (row.n_unplaced == row.n_samples) return std::nullopt;
                return seconds(row.uncertainty_ns);
              }),
      Origin::kMeasured);
  return builder.build();
}

std::vector<std::string> sampled_sentences(const GpuProfile& profile, const ProfileViewOptions& options) {
  std::vector<std::string> sentences;
  for (const SampledCounters& row : profile.sampled.rows) {
    const auto share = share_of(row, options);
    if (row.group != SampleGroup::kPhase || !share) continue;
    sentences.push_back(fmt::format("{} on GPU {}: {} of the memory bandwidth, sampled over {} of its time: {}.",
                                    row.label, row.device, format_percent(*share), format_percent(row.coverage()),
                                    *share >= options.threshold ? "memory-bound" : "not memory-bound"));
  }
  return sentences;
}

}  // namespace dachlast::viewmodel
