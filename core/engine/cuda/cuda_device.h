#pragma once

#include <memory>

#include "core/engine/engine_device.h"
#include "kernels/cuda/gemm.h"

namespace dachlast {

/// GPU `index` as a device of the engine; `gemm` computes its products.
/// Errors   throws `Error` (kDevice) where there is no driver, or no such GPU.
std::shared_ptr<EngineDevice> make_cuda_device(int index, std::unique_ptr<kernels::cuda::Gemm> gemm);

}  // namespace dachlast
