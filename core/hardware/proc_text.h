#pragma once

#include <optional>
#include <string>
#include <string_view>

// Readers of the texts that Linux offers under /proc and /sys/fs/cgroup. Functions on text: what a text does not hold
// is absent, never zero.
namespace dachlast::proc {

/// "model name" of the first CPU in /proc/cpuinfo, inner runs of blanks made one.
std::optional<std::string> cpu_name(std::string_view cpuinfo);

/// A row of /proc/meminfo, such as "MemAvailable", in bytes.
std::optional<double> meminfo_bytes(std::string_view meminfo, std::string_view row);

/// Value of "key value" on a line of its own, as in memory.stat.
std::optional<double> keyed_value(std::string_view text, std::string_view key);

/// A limit file of either cgroup version, in its unit. Absent where there is no limit: "max" (version 2), −1 or a
/// number of the order of 2^63 (version 1).
std::optional<double> cgroup_limit(std::string_view text);

/// Processors granted by cpu.max of cgroup version 2: quota / period. Absent where the quota is "max".
std::optional<double> cgroup_cpus(std::string_view cpu_max);

/// Path of this process in the hierarchy of `controller` ("memory", "cpu"; "" for version 2), from /proc/self/cgroup.
std::optional<std::string> cgroup_path(std::string_view self_cgroup, std::string_view controller);

}  // namespace dachlast::proc
