#include "core/hardware/host.h"

#include <fmt/core.h>
#include <hwloc.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>

#include "core/base/cpu_features.h"
#include "core/base/error.h"
#include "core/hardware/cgroup.h"
#include "core/hardware/proc_text.h"
#include "core/hardware/text_file.h"

namespace dachlast {
namespace {

struct TopologyDeleter {
  void operator()(hwloc_topology* topology) const { hwloc_topology_destroy(topology); }
};
using Topology = std::unique_ptr<hwloc_topology, TopologyDeleter>;

/// Holds what the process's cpuset allows; hwloc leaves out instruction caches by itself.
Topology load_topology() {
  hwloc_topology_t raw = nullptr;
  if (hwloc_topology_init(&raw) != 0)
    throw Error(ErrorKind::kDevice, "computer", "hwloc could not start.", "Check the hwloc library (libhwloc15).");
  Topology topology(raw);
  if (hwloc_topology_load(raw) != 0)
    throw Error(ErrorKind::kDevice, "computer", "hwloc could not read the processors.",
                "Check that /sys is mounted and that no HWLOC_ variable points elsewhere.");
  return topology;
}

int count(const Topology& topology, hwloc_obj_type_t type) {
  return std::max(0, hwloc_get_nbobjs_by_type(topology.get(), type));
}

/// Empty where the OS hides the level or its size.
std::vector<CacheLevel> caches_of(const Topology& topology) {
  std::vector<CacheLevel> caches;
  constexpr hwloc_obj_type_t types[] = {HWLOC_OBJ_L1CACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L3CACHE};
  for (int level = 1; level <= 3; ++level) {
    CacheLevel cache{.level = level, .size_bytes = 0.0, .n_instances = 0};
    for (hwloc_obj_t object = nullptr;
         (object = hwloc_get_next_obj_by_type(topology.get(), types[level - 1], object)) != nullptr;) {
      const auto size = static_cast<double>(object->attr->cache.size);
      if (size <= 0.0) continue;
      cache.size_bytes = cache.n_instances == 0 ? size : std::min(cache.size_bytes, size);
      ++cache.n_instances;
    }
    if (cache.n_instances > 0) caches.push_back(cache);
  }
  return caches;
}

/// OS indices of the hardware threads of each core; each thread is a core of its own where the OS hides cores.
std::vector<std::vector<int>> threads_of_cores(const Topology& topology) {
  const auto type = count(topology, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
  std::vector<std::vector<int>> cores;
  for (hwloc_obj_t core = nullptr; (core = hwloc_get_next_obj_by_type(topology.get(), type, core)) != nullptr;) {
    std::vector<int> threads;
    for (int id = hwloc_bitmap_first(core->cpuset); id >= 0; id = hwloc_bitmap_next(core->cpuset, id))
      threads.push_back(id);
    cores.push_back(std::move(threads));
  }
  return cores;
}

/// The affinity mask of this process by OS index; empty where the OS does not tell.
std::vector<bool> allowed_threads() {
  constexpr std::size_t kMaxThreads = 65536;
  for (std::size_t n = 1024; n <= kMaxThreads; n *= 2) {
    std::vector<std::uint64_t> words(n / 64);
    if (sched_getaffinity(0, n / 8, reinterpret_cast<cpu_set_t*>(words.data())) != 0) continue;
    std::vector<bool> allowed(n);
    for (std::size_t id = 0; id < n; ++id) allowed[id] = ((words[id / 64] >> (id % 64)) & 1u) != 0;
    return allowed;
  }
  return {};
}

double available_memory(const std::string& meminfo, const CgroupLimits& limits) {
  const auto free = proc::meminfo_bytes(meminfo, "MemAvailable");
  if (!free) return limits.memory_bytes.value_or(0.0);
  return std::min(*free, limits.memory_bytes.value_or(*free));
}

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

}  // namespace

std::vector<int> pick_core_ids(std::span<const std::vector<int>> threads_of_core, const std::vector<bool>& allowed,
                               double max_cpus) {
  const auto usable = [&](int id) {
    return allowed.empty() || (static_cast<std::size_t>(id) < allowed.size() && allowed[static_cast<std::size_t>(id)]);
  };
  std::vector<int> ids;
  for (const std::vector<int>& threads : threads_of_core) {
    const auto first = std::find_if(threads.begin(), threads.end(), usable);
    if (first != threads.end()) ids.push_back(*first);
  }
  if (max_cpus > 0.0) ids.resize(std::min(ids.size(), static_cast<std::size_t>(std::ceil(max_cpus))));
  return ids;
}

HostTopology read_host_topology() {
  const Topology topology = load_topology();
  const CgroupLimits limits = read_cgroup_limits();
  const std::string meminfo = read_text("/proc/meminfo");
  const auto threads = threads_of_cores(topology);

  HostTopology host;
  host.cpu_name = proc::cpu_name(read_text("/proc/cpuinfo")).value_or("");
  host.n_packages = count(topology, HWLOC_OBJ_PACKAGE);
  host.n_cores = static_cast<int>(threads.size());
  host.n_hardware_threads = count(topology, HWLOC_OBJ_PU);
  host.n_numa_nodes = count(topology, HWLOC_OBJ_NUMANODE);
  host.caches = caches_of(topology);
  host.memory_bytes = proc::meminfo_bytes(meminfo, "MemTotal").value_or(0.0);
  host.available_memory_bytes = available_memory(meminfo, limits);
  for (const std::string_view name : names_of(cpu_features())) host.isa.emplace_back(name);
  // A topology that describes another machine (HWLOC_XMLFILE, HWLOC_SYNTHETIC) knows nothing of our affinity mask.
  const bool this_machine = hwloc_topology_is_thissystem(topology.get()) != 0;
  host.core_ids =
      pick_core_ids(threads, this_machine ? allowed_threads() : std::vector<bool>{}, limits.cpus.value_or(0.0));
  return host;
}

std::string host_id_of(std::string_view machine_id, std::string_view cpu_name) {
  // FNV-1a, 64 bit: names a host among a few thousands and cannot be turned back into 128 random bits.
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  };
  mix(machine_id);
  mix("\n");
  mix(cpu_name);
  return fmt::format("{:016x}", hash);
}

std::string host_id() {
  std::string machine = read_text("/etc/machine-id");
  machine.erase(std::find(machine.begin(), machine.end(), '\n'), machine.end());
  if (machine.empty()) machine = host_name();
  return host_id_of(machine, proc::cpu_name(read_text("/proc/cpuinfo")).value_or(""));
}

}  // namespace dachlast
