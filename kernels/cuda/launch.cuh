#pragma once

#include <cuda_runtime_api.h>

#include "core/base/error.h"
#include "kernels/cuda/device.cuh"
#include "kernels/cuda/stream.h"

namespace dachlast::kernels::cuda {

/// Sizes of a launch. Threads of a block come in whole warps.
struct LaunchSizes {
  dim3 grid;
  int n_threads;
  std::size_t shared_bytes = 0;
};

/// Errors   throws `Error` with the runtime's own words.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::kDevice, what, cudaGetErrorString(status),
              "`dachlast doctor` says what this computer's driver and devices allow.");
}

/// Above this a kernel must ask for its shared memory by name: CUDA C++ programming guide, section on shared memory.
inline constexpr std::size_t kPlainSharedBytes = std::size_t{48} << 10;

/// Queues a kernel. cudaLaunchKernelEx is an ordinary template, so that other compilers can read this too.
template <class... Parameters, class... Arguments>
void launch(const char* name, const LaunchSizes& sizes, Stream stream, void (*kernel)(Parameters...),
            Arguments&&... arguments) {
  if (sizes.shared_bytes > kPlainSharedBytes)
    check(cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel), cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(sizes.shared_bytes)),
          name);
  cudaLaunchConfig_t config{};
  config.gridDim = sizes.grid;
  config.blockDim = dim3(static_cast<unsigned>(sizes.n_threads));
  config.dynamicSmemBytes = sizes.shared_bytes;
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, static_cast<Parameters>(arguments)...), name);
}

constexpr int ceil_div(int n, int size) {
  return (n + size - 1) / size;
}

/// Blocks of a loop over `n` elements: enough to fill any device of ours (132 multiprocessors of 2,048 threads), no more.
inline dim3 blocks_for(std::int64_t n, int n_threads) {
  constexpr std::int64_t kMostBlocks = 132 * 16;
  const std::int64_t wanted = (n + n_threads - 1) / n_threads;
  return dim3(static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks));
}

}  // namespace dachlast::kernels::cuda
