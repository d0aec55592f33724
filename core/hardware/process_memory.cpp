#include "core/hardware/process_memory.h"

#include <string>

#include "core/hardware/proc_text.h"
#include "core/hardware/text_file.h"

namespace dachlast {

std::optional<ProcessMemory> read_process_memory() {
  const std::string status = read_text("/proc/self/status");
  const auto resident = proc::meminfo_bytes(status, "VmRSS");
  const auto peak = proc::meminfo_bytes(status, "VmHWM");
  if (!resident || !peak) return std::nullopt;
  return ProcessMemory{.resident_bytes = *resident, .peak_bytes = *peak};
}

}  // namespace dachlast
