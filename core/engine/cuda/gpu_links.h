#pragma once

#include <functional>
#include <string>

#include "core/engine/engine_device.h"
#include "core/hardware/gpu_roofs.h"

namespace dachlast {

/// Copies from GPU `index` to another one and back, over NVLink or PCIe as the computer is wired.
/// Errors   throws `Error` where a device refuses.
void measure_peer_link(GpuRoofs& roofs, int index, int other, const GpuCalibrationPlan& plan);

/// NCCL's all-reduce in float over all GPUs: a large one for its rate, a small one for its time. Its sums are checked.
/// Errors   throws `Error` where NCCL is missing, refuses, or sums wrongly.
void measure_all_reduce(GpuRoofs& roofs, int n_devices, const GpuCalibrationPlan& plan);

}  // namespace dachlast
