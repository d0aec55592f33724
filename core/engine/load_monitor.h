#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/units.h"

namespace dachlast {

/// Above this share of the watched processors other programs are named as competing load: one core in twenty shifts a
/// median by more than the 3 % to which medians are measured.
inline constexpr double kCompetingShare = 0.05;
/// Above this change of the time of fixed work the clock is said to have drifted: as wide as a converged median.
inline constexpr double kClockDrift = 0.03;

/// Time that processors have spent since boot, all of them together.
struct CpuTimes {
  Seconds busy;    // by anyone, time stolen by the hypervisor included
  Seconds stolen;  // wanted by this machine, given to another one
  Seconds idle;
};

/// Sums the rows "cpuN" of /proc/stat for the OS indices in `core_ids`, or takes the row "cpu" where `core_ids` is
/// empty. Empty where a row is missing or unreadable.
std::optional<CpuTimes> parse_cpu_times(std::string_view proc_stat, std::span<const int> core_ids,
                                        double ticks_per_second);

/// Share of the processors' time between two readings that went to neither this process (`own`) nor idleness; 0 … 1.
/// Empty where the interval is shorter than the kernel's accounting can tell, 0.2 s.
std::optional<double> others_share(const CpuTimes& before, const CpuTimes& after, Seconds own);

/// What disturbed a measurement.
struct LoadReading {
  std::optional<double> others_share;  // of the watched processors; empty: too short to tell, or the OS does not say
  std::optional<double> stolen_share;  // the part of it that the hypervisor took
  double slowdown = 0.0;               // time of fixed work after / before − 1; negative: the clock rose
};

struct LoadRemark {
  std::string code;  // "competing_load", "clock_drift"
  std::string text;
};

/// One remark for each limit that a reading exceeds.
std::vector<LoadRemark> remarks_of(const LoadReading& reading);

/// Watches the processors from its construction to `finish`: who used them, and whether the clock changed. Costs two
/// probes of fixed work, about 2 ms each, outside the interval watched.
/// Threads  used by one thread, the one that measures.
class LoadMonitor {
 public:
  /// `core_ids`: the processors whose load matters, those the measuring threads run on; empty: all.
  explicit LoadMonitor(std::span<const int> core_ids = {});

  LoadReading finish();

 private:
  std::vector<int> core_ids_;
  Seconds probe_before_;
  Seconds own_before_;
  std::optional<CpuTimes> times_before_;
};

/// Time of a fixed number of multiply-adds in registers on the calling thread: best of several, so that an interruption
/// does not count. Changes only with the clock.
Seconds time_fixed_work();

}  // namespace dachlast
