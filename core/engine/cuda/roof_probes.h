#pragma once

#include "core/engine/cuda/cuda_context.h"
#include "core/engine/engine_device.h"

namespace dachlast {

/// Measures the roofs of a GPU with the kernels and libraries that the engine runs on.
/// Memory   what `probes` says, in the pool, while it lasts.
DeviceRoofs probe_roofs(CudaContext& context, const DeviceProbes& probes);

}  // namespace dachlast
