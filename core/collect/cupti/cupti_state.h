#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace dachlast {

/// Whether counters of GPUs may be read by this process.
enum class CounterAccess : std::uint8_t {
  kUnknown,     // the driver does not say
  kEveryone,    // by all users
  kByRank,      // by administrators alone, of whom this process is one
  kRestricted,  // by administrators alone
};

/// As the NVIDIA driver's module was set up. `params` and `status` are files of /proc.
/// Errors   none; kUnknown where the files are not there or say nothing of it.
/// Source   RmProfilingAdminOnly of /proc/driver/nvidia/params, CAP_SYS_ADMIN of /proc/self/status:
///          https://developer.nvidia.com/nvidia-development-tools-solutions-err_nvgpuctrperm-permission-issue-performance-counters
CounterAccess read_counter_access(const std::filesystem::path& params = "/proc/driver/nvidia/params",
                                  const std::filesystem::path& status = "/proc/self/status");

/// The CUPTI library behind our plugin.
struct CuptiState {
  std::optional<int> version;  // as CUPTI numbers it: 130001
  std::string reason;          // why there is none; else empty
};

/// Opens the plugin, which stays loaded.
CuptiState read_cupti_state();

/// "13.0, update 1" for 130001.
std::string cupti_version_text(int version);

}  // namespace dachlast
