#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "core/viewmodel/profile_view.h"

namespace dachlast {

/// What is asked of a recording of another profiler.
struct ImportRequest {
  std::filesystem::path file;
  std::string device;      // as --gpu names it; empty: the one the recording names, where it is known
  double threshold = 0.6;  // of verdicts
  std::size_t n_kernels = 20;
};

/// The device whose name a recording states, where the catalog knows it.
std::optional<DeviceSpec> recorded_device(const GpuProfile& profile);

/// Reads a recording and says where GPU time went.
/// Errors   throws `Error` (kInput) naming the file: missing, damaged, or of no known kind; as find_device for `device`.
viewmodel::ProfileView import_profile(const ImportRequest& request);

}  // namespace dachlast
