#pragma once

#include <stop_token>

#include "core/engine/engine_device.h"
#include "core/hardware/gpu_roofs.h"
#include "core/workbench/workbench.h"

namespace dachlast {

/// Measures the roofs of a GPU and stores them beside those of this computer.
/// Errors   throws `Error`: kInterrupted when stopped, between two probes; kDevice where the GPU fails as a whole.
GpuRoofs calibrate_device(EngineDevice& device, JobObserver& observer, std::stop_token stop,
                          const GpuCalibrationPlan& plan = {});

}  // namespace dachlast
