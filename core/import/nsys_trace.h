#pragma once

#include <filesystem>

#include "core/profile/gpu_trace.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// Reads a SQLite export of Nsight Systems. GPU work is tied to the innermost NVTX range around its launch; ranges that
/// `rules` know as steps are steps.
/// Errors   throws `Error` (kInput) naming the file where it is damaged, no export, or holds no GPU work.
GpuTrace read_nsys_trace(const std::filesystem::path& file, const NameRules& rules);

}  // namespace dachlast
