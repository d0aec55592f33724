#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dachlast {

struct CacheLevel {
  int level;          // 1, 2, 3
  double size_bytes;  // of one instance; the smallest where they differ
  int n_instances;
};

/// The computer the program runs on, from hwloc and /proc.
struct HostTopology {
  std::string cpu_name;
  int n_packages = 0;
  int n_cores = 0;
  int n_hardware_threads = 0;
  int n_numa_nodes = 0;
  std::vector<CacheLevel> caches;       // ascending level, data and unified caches only
  double memory_bytes = 0.0;            // installed, as the OS sees it
  double available_memory_bytes = 0.0;  // MemAvailable, capped by the cgroup limit where one is set
  std::vector<std::string> isa;         // "AVX2", "AVX-512", "AVX512_BF16", "AVX512_VNNI", "AMX-BF16", …
  std::vector<int> core_ids;  // OS index of one hardware thread per core, in the order threads are pinned; only
                              // those this process may use, and no more than its cgroup's CPU quota pays for
};

/// Reads the topology of this computer. Works in containers and VMs: what the OS hides is absent, not zero.
/// Errors   throws `Error` (kDevice) where hwloc cannot read the machine at all.
HostTopology read_host_topology();

/// Picks one usable hardware thread per core. `threads_of_core`: OS indices of each core's hardware threads; `allowed`:
/// whether the process may run on a thread, indexed by OS index, empty where the OS does not tell (all allowed);
/// `max_cpus`: processors of the CPU quota, rounded up to whole cores, or 0 for no quota.
std::vector<int> pick_core_ids(std::span<const std::vector<int>> threads_of_core, const std::vector<bool>& allowed,
                               double max_cpus);

/// Stable identifier of this host: hash of machine id and CPU name; reveals neither. Where the machine id is missing
/// (many containers) the host name takes its place.
std::string host_id();

/// The hash behind `host_id`: 16 hexadecimal digits.
std::string host_id_of(std::string_view machine_id, std::string_view cpu_name);

}  // namespace dachlast
