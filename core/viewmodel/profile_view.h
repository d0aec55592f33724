#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/profile/gpu_profile.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// A recording of another profiler as people read it. Tables without rows have nothing to say.
struct ProfileView {
  std::string title;                // "PyTorch profiler trace, NVIDIA H100 80GB HBM3"
  std::vector<std::string> answer;  // sentences, the deciding one first
  std::string roofs_line;           // whose roofs verdicts are held against, or why there are none
  Table timelines;
  Table phases;
  Table families;
  Table ops;  // with shapes: work and verdict estimated from them
  Table kernels;
  Table counters;  // measured
  std::vector<Remark> remarks;
};

/// What a view is made with. All of it is printed.
struct ProfileViewOptions {
  std::optional<DeviceSpec> device;  // empty: no verdicts on shapes
  double threshold = 0.6;
  std::size_t n_kernels = 20;  // rows of the list of kernels, the longest first
};

/// "GEMM", "RoPE": a family as people read it.
std::string display_name_of(KernelFamily family);

/// Operators with shapes, in the order of the profile.
Table traced_ops_table(const GpuProfile& profile, const ProfileViewOptions& options);

ProfileView profile_view(const GpuProfile& profile, const ProfileViewOptions& options);

}  // namespace dachlast::viewmodel
