#pragma once

#include <string>
#include <vector>

namespace dachlast {

struct CacheLevel {
  int level;                // 1, 2, 3
  double size_bytes;        // of one instance
  int n_instances;
};

/// The computer the program runs on, from hwloc and /proc.
struct HostTopology {
  std::string cpu_name;
  int n_packages = 0;
  int n_cores = 0;
  int n_hardware_threads = 0;
  int n_numa_nodes = 0;
  std::vector<CacheLevel> caches;   // ascending level, data and unified caches only
  double memory_bytes = 0.0;        // installed, as the OS sees it
  double available_memory_bytes = 0.0;  // MemAvailable, capped by the cgroup limit where one is set
  std::vector<std::string> isa;     // "AVX2", "AVX-512", "AVX512_BF16", "AVX512_VNNI", "AMX-BF16", …
  std::vector<int> core_ids;        // OS index of one hardware thread per core, in the order threads are pinned
};

/// Reads the topology of this computer. Works in containers and VMs: what the OS hides is absent, not zero.
HostTopology read_host_topology();

/// Stable identifier of this host: hash of machine id and CPU name; reveals neither.
std::string host_id();

}  // namespace dachlast
