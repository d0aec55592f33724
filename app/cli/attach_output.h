#pragma once

#include <string>

#include "app/cli/command.h"
#include "core/viewmodel/attach_gpu_view.h"
#include "core/viewmodel/attach_view.h"

namespace dachlast::cli {

/// An attached program in the format asked for. CSV holds one table: kernels where GPUs were recorded, else ranges.
std::string render_attached(const viewmodel::AttachView& view, const viewmodel::AttachGpuView& gpu,
                            const CommonOptions& common);

}  // namespace dachlast::cli
