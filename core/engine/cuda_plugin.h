#pragma once

#include <memory>

#include "core/engine/engine_device.h"

// What the shared object with the engine's CUDA part exports. Program and object are built from one source by one compiler:
// objects with virtual functions pass between them, and `Error`.
namespace dachlast {

inline constexpr const char* kCudaPluginName = "dachlast_cuda_plugin";
inline constexpr int kCudaPluginVersion = 4;

struct CudaPlugin {
  int version;
  /// `gemm_library`: the shared object with cuBLASLt.
  /// Errors   throws `Error` (kDevice) where there is no driver, no such GPU, or no cuBLASLt.
  std::shared_ptr<EngineDevice> (*open)(int device, const char* gemm_library);
};

}  // namespace dachlast
