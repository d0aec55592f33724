#pragma once

#include <functional>
#include <string>

#include "core/engine/engine_device.h"
#include "core/hardware/gpu_roofs.h"
#include "kernels/cuda/gemm.h"

namespace dachlast {

/// Measures the roofs of GPU `index`: DRAM and L2 read, write and copy, the link to the host both ways, products of each type,
/// launches alone, in a row and in a graph; where there are other GPUs, copies to and from each, and NCCL's all-reduce over all.
/// A probe runs once before it is timed; events on the device take the time.
/// Numbers  a copy counts what is read and what is written, between GPUs what crosses the link once. An L2 probe works on a
///          quarter of the cache over and over. An all-reduce of S bytes over n GPUs counts 2 · (n − 1) / n · S: what each link
///          carries in a ring.
/// Errors   throws `Error` (kDevice) where there is no such GPU; what one probe lacks is said in `not_measured`.
/// Source   bus bandwidth: NVIDIA/nccl-tests:doc/PERFORMANCE.md.
GpuRoofs calibrate_gpu(int index, kernels::cuda::Gemm& gemm, const GpuCalibrationPlan& plan,
                       const GpuProbeWatch& began = {});

}  // namespace dachlast
