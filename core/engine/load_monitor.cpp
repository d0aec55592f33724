#include "core/engine/load_monitor.h"

#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/hardware/text_file.h"
#include "kernels/probe/peak.h"

namespace dachlast {
namespace {

// /proc/stat counts in ticks of usually 10 ms: over 0.2 s one tick is 5 % of a processor.
constexpr double kShortestInterval = 0.2;

/// Reads the next number of a row and cuts it off; empty at the end.
std::optional<double> next_number(std::string_view& row) {
  row.remove_prefix(std::min(row.find_first_not_of(' '), row.size()));
  double value = 0.0;
  const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), value);
  if (error != std::errc{}) return std::nullopt;
  row.remove_prefix(static_cast<std::size_t>(end - row.data()));
  return value;
}

/// The numbers behind "name " at the start of a line.
std::optional<std::string_view> row_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    if (line.size() > name.size() && line.starts_with(name) && line[name.size()] == ' ')
      return line.substr(name.size());
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return std::nullopt;
}

/// Columns: user nice system idle iowait irq softirq steal; guest time is part of user already.
/// Source   Linux, Documentation/filesystems/proc.rst, section 1.7.
std::optional<CpuTimes> times_in_row(std::string_view row, double ticks_per_second) {
  double ticks[8] = {};
  for (double& column : ticks) {
    const auto value = next_number(row);
    if (!value) return std::nullopt;
    column = *value / ticks_per_second;
  }
  const auto [user, nice, system, idle, iowait, irq, softirq, steal] = ticks;
  return CpuTimes{.busy = {user + nice + system + irq + softirq + steal}, .stolen = {steal}, .idle = {idle + iowait}};
}

std::optional<CpuTimes> read_cpu_times(std::span<const int> core_ids) {
  return parse_cpu_times(read_text("/proc/stat"), core_ids, static_cast<double>(sysconf(_SC_CLK_TCK)));
}

/// Processor time of this process, all threads.
Seconds own_time() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return {seconds(usage.ru_utime) + seconds(usage.ru_stime)};
}

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat, std::span<const int> core_ids,
                                        double ticks_per_second) {
  if (core_ids.empty()) {
    const auto row = row_of(proc_stat, "cpu");
    return row ? times_in_row(*row, ticks_per_second) : std::nullopt;
  }
  CpuTimes sum;
  for (const int id : core_ids) {
    const auto row = row_of(proc_stat, fmt::format("cpu{}", id));
    const auto times = row ? times_in_row(*row, ticks_per_second) : std::nullopt;
    if (!times) return std::nullopt;
    sum.busy += times->busy;
    sum.stolen += times->stolen;
    sum.idle += times->idle;
  }
  return sum;
}

std::optional<double> others_share(const CpuTimes& before, const CpuTimes& after, Seconds own) {
  const Seconds busy = after.busy - before.busy;
  const Seconds total = busy + (after.idle - before.idle);
  if (total.value < kShortestInterval) return std::nullopt;
  return std::clamp((busy - own) / total, 0.0, 1.0);
}

std::vector<LoadRemark> remarks_of(const LoadReading& reading) {
  std::vector<LoadRemark> remarks;
  if (reading.others_share.value_or(0.0) > kCompetingShare) {
    std::string text = fmt::format("Other programs took {:.0f} % of the processors.", 100.0 * *reading.others_share);
    if (reading.stolen_share.value_or(0.0) > kCompetingShare)
      text += fmt::format(" The hypervisor gave {:.0f} % to other machines.", 100.0 * *reading.stolen_share);
    remarks.push_back({"competing_load", std::move(text)});
  }
  if (std::abs(reading.slowdown) > kClockDrift)
    remarks.push_back(
        {"clock_drift", fmt::format("Fixed work took {:.0f} % {} at the end than at the beginning.",
                                    100.0 * std::abs(reading.slowdown), reading.slowdown > 0.0 ? "longer" : "less")});
  return remarks;
}

Seconds time_fixed_work() {
  using Clock = std::chrono::steady_clock;
  // About 50 µs each on a 3.6 GHz AVX-512 core: shorter than the time between two ticks of the OS, so that several of
  // the runs are free of interruptions, and a thousand times the resolution of the clock.
  constexpr double kWork = 12e6;
  constexpr int kRuns = 40;
  const kernels::PeakVariant& probe = *kernels::peak_variant_for(DType::kF32);
  const auto n_rounds = static_cast<std::int64_t>(kWork / probe.ops_per_round());
  double best = INFINITY;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = Clock::now();
    probe.run(n_rounds, 1.0f, 1.0f);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return {best};
}

LoadMonitor::LoadMonitor(std::span<const int> core_ids)
    : core_ids_(core_ids.begin(), core_ids.end()),
      probe_before_(time_fixed_work()),
      own_before_(own_time()),
      times_before_(read_cpu_times(core_ids_)) {}

LoadReading LoadMonitor::finish() {
  const auto times = read_cpu_times(core_ids_);
  const Seconds own = own_time() - own_before_;
  LoadReading reading;
  if (times && times_before_) {
    reading.others_share = others_share(*times_before_, *times, own);
    if (reading.others_share) {
      const Seconds total = (times->busy - times_before_->busy) + (times->idle - times_before_->idle);
      reading.stolen_share = (times->stolen - times_before_->stolen) / total;
    }
  }
  reading.slowdown = time_fixed_work() / probe_before_ - 1.0;
  return reading;
}

}  // namespace dachlast
