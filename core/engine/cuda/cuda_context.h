#pragma once

#include <memory>
#include <string>

#include "kernels/cuda/device_pool.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/runtime.h"

namespace dachlast {

/// What all parts of the engine share on one GPU. Blocks of the pool go before it.
struct CudaContext {
  CudaContext(int device, std::unique_ptr<kernels::cuda::Gemm> products)
      : facts(kernels::cuda::select_device(device)), pool(device), gemm(std::move(products)) {}

  kernels::cuda::DeviceFacts facts;
  kernels::cuda::DevicePool pool;
  kernels::cuda::DeviceQueue steps;   // computes
  kernels::cuda::DeviceQueue copies;  // moves blocks between the tiers of a cache
  std::unique_ptr<kernels::cuda::Gemm> gemm;
};

/// Memory of the pool as elements of type T.
template <class T>
std::span<T> elements_of(const kernels::cuda::DeviceBlock& block) {
  return {reinterpret_cast<T*>(block.bytes().data()), block.bytes().size() / sizeof(T)};
}

}  // namespace dachlast
