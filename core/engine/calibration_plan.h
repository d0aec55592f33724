#pragma once

#include <cstddef>
#include <vector>

#include "core/engine/load_monitor.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"

namespace dachlast {

/// What one thread of a team works on to measure one memory level.
struct WorkingSet {
  MemoryLevel level;
  int n_threads;
  std::size_t bytes_per_thread;
};

/// What a calibration will measure.
struct CalibrationPlan {
  std::vector<int> team_sizes;            // ascending
  std::vector<WorkingSet> working_sets;   // by level, then team size
  std::vector<std::size_t> memory_bytes;  // [thread]: the most it works on in any team
  std::vector<LoadRemark> remarks;  // levels left out ("no_cache_size", "level_not_measured"), "small_working_set"
};

/// 1, 2, 3, 4 threads up to `n`; above four the powers of two and `n` itself.
std::vector<int> calibration_team_sizes(int n);

/// Chooses teams of up to `n_threads` threads and their working sets:
///   L1, L2, L3   half of a core's share of the level, but at least twice its share of the level below, so that the set
///                lives in its level; left out for teams whose sets together exceed three quarters of the level
///   DRAM         all threads together 4 times the last cache or 1 GiB, whichever is more (STREAM's rule), as far as
///   all
///                teams' memory fits `max_memory_bytes`; left out below 1.5 times the last cache
/// Sizes that the OS hides leave their level out, with a remark.
CalibrationPlan plan_calibration(const HostTopology& host, int n_threads, double max_memory_bytes);

}  // namespace dachlast
