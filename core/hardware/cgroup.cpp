#include "core/hardware/cgroup.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/hardware/proc_text.h"
#include "core/hardware/text_file.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

void tighten(std::optional<double>& limit, std::optional<double> candidate) {
  if (candidate) limit = limit ? std::min(*limit, *candidate) : *candidate;
}

/// `mount`/a/b, `mount`/a, `mount`. In a container the path of the host may not exist below its own mount: those
/// folders are then empty and the mount itself is the container's group.
std::vector<fs::path> groups_upwards(const fs::path& mount, const std::string& path) {
  std::vector<fs::path> groups;
  for (fs::path relative = fs::path(path).relative_path(); !relative.empty(); relative = relative.parent_path())
    groups.push_back(mount / relative);
  groups.push_back(mount);
  return groups;
}

struct MemoryFiles {
  const char* limit;
  const char* usage;
  const char* reclaimable;  // row of memory.stat: page cache not used lately
};
constexpr MemoryFiles kVersion1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
constexpr MemoryFiles kVersion2{"memory.max", "memory.current", "inactive_file"};

std::optional<double> memory_left(const fs::path& group, const MemoryFiles& files) {
  const auto limit = proc::cgroup_limit(read_text(group / files.limit));
  const auto usage = proc::cgroup_limit(read_text(group / files.usage));
  if (!limit || !usage) return std::nullopt;
  const auto cache = proc::keyed_value(read_text(group / "memory.stat"), files.reclaimable);
  return std::max(0.0, *limit - std::max(0.0, *usage - cache.value_or(0.0)));
}

std::optional<double> cpus_version1(const fs::path& group) {
  const auto quota = proc::cgroup_limit(read_text(group / "cpu.cfs_quota_us"));
  const auto period = proc::cgroup_limit(read_text(group / "cpu.cfs_period_us"));
  if (!quota || !period || *period <= 0.0) return std::nullopt;
  return *quota / *period;
}

}  // namespace

CgroupLimits read_cgroup_limits(const fs::path& root) {
  const fs::path mounts = root / "sys/fs/cgroup";
  const std::string self = read_text(root / "proc/self/cgroup");
  CgroupLimits limits;
  if (const auto path = proc::cgroup_path(self, "")) {
    for (const fs::path& group : groups_upwards(mounts, *path)) {
      tighten(limits.memory_bytes, memory_left(group, kVersion2));
      tighten(limits.cpus, proc::cgroup_cpus(read_text(group / "cpu.max")));
    }
  }
  if (const auto path = proc::cgroup_path(self, "memory"))
    for (const fs::path& group : groups_upwards(mounts / "memory", *path))
      tighten(limits.memory_bytes, memory_left(group, kVersion1));
  if (const auto path = proc::cgroup_path(self, "cpu"))
    for (const fs::path& group : groups_upwards(mounts / "cpu", *path)) tighten(limits.cpus, cpus_version1(group));
  return limits;
}

}  // namespace dachlast
