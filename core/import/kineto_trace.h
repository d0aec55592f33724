#pragma once

#include <filesystem>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// Reads a trace of PyTorch's profiler (Kineto), plain or gzipped, of NVIDIA or AMD devices.
///
/// GPU work is tied to the call that launched it by correlation number, and by that call's time to the operator around it
/// on its thread; kernels of a captured graph share the number, and the time, of the graph's launch. Steps come from
/// annotations that `rules` know.
/// Memory   about 60 B for each event that is kept (GPU work, launches, operators, annotations); the file itself passes by.
/// Errors   throws `Error` (kInput) naming file and event: not JSON, or no trace of this kind; also where it holds no GPU
///          work at all.
GpuTrace read_kineto_trace(const std::filesystem::path& file, const NameRules& rules);

}  // namespace dachlast
