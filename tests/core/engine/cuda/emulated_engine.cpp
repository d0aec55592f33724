#include "tests/core/engine/cuda/emulated_engine.h"

#include "core/engine/cuda/cuda_device.h"
#include "tests/emulation/gemm.h"

namespace dachlast {

std::shared_ptr<EngineDevice> emulated_device() {
  return make_cuda_device(0, std::make_unique<kernels::cuda::Gemm>(emulation::gemm_api()));
}

EngineOptions on_device(EngineOptions options) {
  options.device = emulated_device();
  return options;
}

}  // namespace dachlast
