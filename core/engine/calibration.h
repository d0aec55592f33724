#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/units.h"
#include "core/engine/load_monitor.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"

namespace dachlast {

/// Enough for about eight repeats of everything on a small machine.
inline constexpr Seconds kCalibrationTime{12.0};
/// Three to four repeats: for a first run that has no stored roofs.
inline constexpr Seconds kQuickCalibrationTime{4.0};

struct CalibrationOptions {
  Seconds time_budget = kCalibrationTime;  // of the repeats; preparing memory adds about a second per GiB
  int n_threads = 0;                       // most threads; 0: one on each core the process may use
  double max_memory_bytes = 0.0;           // 0: a quarter of the available memory
  std::stop_token stop = {};
};

struct CalibrationProgress {
  double fraction = 0.0;  // 0 … 1
  std::string what;       // "DRAM triad, 2 threads"
};

struct Calibration {
  DeviceRoofs roofs;
  std::vector<LoadRemark> remarks;  // what disturbed it, what could not be measured
};

/// Measures the roofs of this computer: bandwidth of each memory level and pattern, peak of each data type the CPU has
/// instructions for, for team sizes of `calibration_team_sizes`. Every repeat visits all points once, forwards and
/// backwards in turn, so that slow drift touches all alike. DRAM patterns that store are measured with cached and with
/// non-temporal stores; the faster one is the roof and names its stores.
/// Every point gets at least three repeats, even where that exceeds the budget.
/// Errors   throws `Error`: kInterrupted when stopped (within one sample, below 0.2 s), kUsage where `n_threads` is
///          negative, kDevice where the topology names no core, kDoesNotFit where memory is refused.
Calibration calibrate(const HostTopology& host, const CalibrationOptions& options,
                      const std::function<void(const CalibrationProgress&)>& progress = {});

}  // namespace dachlast
