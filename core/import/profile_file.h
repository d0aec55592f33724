#pragma once

#include <filesystem>

#include "core/profile/gpu_profile.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// Reads what another profiler wrote, of whatever known kind: traces of PyTorch's profiler (.json, .json.gz), SQLite
/// exports and kernel summaries of Nsight Systems, pages of details of Nsight Compute. The kind follows from the content.
/// Errors   throws `Error` (kInput) naming the file: missing, damaged, or of no known kind.
GpuProfile read_profile(const std::filesystem::path& file, const NameRules& rules);

}  // namespace dachlast
