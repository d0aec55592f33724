#pragma once

#include <optional>

namespace dachlast {

/// Memory of this process as the kernel counts it: pages that are in RAM, code and mapped files among them.
struct ProcessMemory {
  double resident_bytes = 0.0;
  double peak_bytes = 0.0;  // the most that was resident so far
};

/// Empty where the system does not tell.
/// Source   VmRSS and VmHWM, https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
std::optional<ProcessMemory> read_process_memory();

}  // namespace dachlast
