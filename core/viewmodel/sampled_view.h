#pragma once

#include <string>
#include <vector>

#include "core/profile/gpu_profile.h"
#include "core/viewmodel/profile_view.h"
#include "core/viewmodel/table.h"

namespace dachlast::viewmodel {

/// What samples of whole GPUs say of phases, families and kernels. No rows where nothing was sampled.
Table sampled_table(const GpuProfile& profile, const ProfileViewOptions& options);

/// What became of the samples of each GPU: how many are nobody's, and how surely they are placed in time.
Table sampled_devices_table(const GpuProfile& profile);

/// One sentence a phase whose samples cover enough of its time: its traffic, and whether memory bounds it.
std::vector<std::string> sampled_sentences(const GpuProfile& profile, const ProfileViewOptions& options);

}  // namespace dachlast::viewmodel
