#pragma once

#include <filesystem>
#include <optional>

namespace dachlast {

/// What the control group of this process, or one that holds it, leaves it. Absent: no limit.
struct CgroupLimits {
  std::optional<double> memory_bytes;  // limit − usage, page cache that the kernel can drop counted as free
  std::optional<double> cpus;          // processors by time quota; may be a fraction
};

/// Reads both cgroup versions below `root`, from the process's own group up to the root group, and takes the tightest.
/// `root` is "/" but in tests.
CgroupLimits read_cgroup_limits(const std::filesystem::path& root = "/");

}  // namespace dachlast
