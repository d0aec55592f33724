#pragma once

#include <string>
#include <vector>

#include "core/profile/gpu_profile.h"
#include "core/profile/phase_device.h"
#include "core/trace/attach_record.h"
#include "core/viewmodel/profile_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// What the GPUs of an attached program did, as people read it. Tables without rows have nothing to say.
struct AttachGpuView {
  ProfileView profile;    // devices, phases, families, kernels, counters
  Table sampled;          // DRAM traffic of phases, families and kernels
  Table sampled_devices;  // what became of the samples
  Table phase_devices;    // busy, idle, copies and launch gaps of each phase
  Table host_times;       // calls, waits and overhead on the host
  Table memory;
  std::vector<Remark> remarks;
};

/// All empty where nothing was recorded of GPUs.
AttachGpuView attach_gpu_view(const AttachedGpuPart& gpu, const GpuProfile& profile,
                              const std::vector<PhaseDevice>& phases, const ProfileViewOptions& options);

}  // namespace dachlast::viewmodel
