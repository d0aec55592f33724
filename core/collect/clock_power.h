#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

#include "core/trace/clock_power_sample.h"

namespace dachlast {

/// Reads how fast something runs and what it takes.
/// Threads  one at a time.
class ClockPowerReader {
 public:
  virtual ~ClockPowerReader() = default;
  ClockPowerReader() = default;
  ClockPowerReader(const ClockPowerReader&) = delete;
  ClockPowerReader& operator=(const ClockPowerReader&) = delete;

  virtual const trace::ClockPowerSources& sources() const = 0;
  /// At a moment of the steady clock.
  virtual trace::ClockPowerSample read_at(std::int64_t now_ns) = 0;

  trace::ClockPowerSample read();
  /// Whether there is anything to read.
  bool any() const { return sources().clock.reason.empty() || sources().power.reason.empty(); }
};

/// Reads the clock of processors and the energy counters of their packages from what Linux shows of them.
///
/// The clock is that of cpufreq, in kHz; without it that of /proc/cpuinfo, in MHz, but only where the processor counts its
/// own cycles ("aperfmperf" among its flags): elsewhere the kernel prints the rate of the time stamp counter, which never
/// changes. Power is the difference of the RAPL counters of all packages over time: of everything that runs, in µJ.
/// Source   torvalds/linux:arch/x86/kernel/cpu/proc.c, :arch/x86/kernel/cpu/aperfmperf.c,
///          :Documentation/admin-guide/pm/cpufreq.rst, :Documentation/power/powercap/powercap.rst
class CpuClockPowerReader : public ClockPowerReader {
 public:
  /// `core_ids`: OS numbers of the processors to watch; empty: processor 0. `root`: of the file system, for tests.
  explicit CpuClockPowerReader(std::span<const int> core_ids, const std::filesystem::path& root = "/");

  const trace::ClockPowerSources& sources() const override { return sources_; }
  trace::ClockPowerSample read_at(std::int64_t now_ns) override;

 private:
  /// The energy counter of one package; it begins anew after `range_uj`.
  struct Package {
    std::filesystem::path file;
    double range_uj = 0.0;
    std::optional<double> last_uj;
  };

  void find_clock(std::span<const int> core_ids, const std::filesystem::path& root);
  void find_power(const std::filesystem::path& root);
  std::optional<double> clock_hz() const;
  std::optional<double> spent_joules();

  std::vector<std::filesystem::path> clock_files_;  // of cpufreq
  std::filesystem::path cpuinfo_;
  std::vector<int> core_ids_;
  std::vector<Package> packages_;
  std::optional<std::int64_t> last_ns_;  // when energy was read
  trace::ClockPowerSources sources_;
};

/// Reads clock and power from time to time on a thread of its own.
class ClockPowerSampler {
 public:
  /// Between two readings; where reading takes long, as much more as keeps it to a hundredth of one processor.
  static constexpr std::chrono::milliseconds kPause{50};

  explicit ClockPowerSampler(std::unique_ptr<ClockPowerReader> reader) : reader_(std::move(reader)) {}
  ~ClockPowerSampler() { stop(); }
  ClockPowerSampler(const ClockPowerSampler&) = delete;
  ClockPowerSampler& operator=(const ClockPowerSampler&) = delete;

  const trace::ClockPowerSources& sources() const { return reader_->sources(); }
  /// Forgets what was read and begins anew; the first reading is done when it returns. Nothing where nothing can be read.
  void start();
  /// Ends with one more reading and hands out all of them, in order.
  std::vector<trace::ClockPowerSample> stop();

 private:
  void work(const std::stop_token& stop);

  std::unique_ptr<ClockPowerReader> reader_;  // of the thread while there is one, else of the caller
  std::vector<trace::ClockPowerSample> samples_;
  std::mutex mutex_;  // for the wait alone
  std::condition_variable_any ended_;
  std::jthread thread_;
};

}  // namespace dachlast
