#pragma once

#include <filesystem>
#include <iosfwd>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// Whether a file holds what kernels of a GPU did: a trace of PyTorch's profiler, a SQLite export of Nsight Systems, or what
/// `attach` wrote. Looks at its head alone; false for whatever cannot be read.
bool is_recording(const std::filesystem::path& file);

/// Errors   throws `Error` (kInput) naming the file: missing, damaged, or without GPU work.
GpuTrace read_recording(const std::filesystem::path& file, const NameRules& rules);

/// Writes a recording as Chrome trace events: a process a GPU, a row a stream, one for the annotated steps on the host.
void write_chrome_trace(std::ostream& out, const GpuTrace& trace);

}  // namespace dachlast
