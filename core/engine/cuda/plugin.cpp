#include "core/engine/cuda_plugin.h"

#include "core/engine/cuda/cuda_device.h"
#include "kernels/cuda/runtime.h"

namespace dachlast {
namespace {

std::shared_ptr<EngineDevice> open(int device, const char* gemm_library) {
  kernels::cuda::select_device(device);  // says what is missing before cuBLASLt takes its time to load
  return make_cuda_device(device, std::make_unique<kernels::cuda::Gemm>(gemm_library));
}

constexpr CudaPlugin kPlugin{kCudaPluginVersion, open};

}  // namespace
}  // namespace dachlast

extern "C" const dachlast::CudaPlugin* dachlast_cuda_plugin() {
  return &dachlast::kPlugin;
}
