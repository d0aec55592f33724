#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <stdexcept>

#include "tests/kernels/cuda/device_memory.h"

namespace dachlast::kernels::cuda::testing {
namespace {

void check(cudaError_t status) {
  if (status != cudaSuccess) throw std::runtime_error(cudaGetErrorString(status));
}

}  // namespace

void* device_allocate(std::size_t bytes) {
  void* memory = nullptr;
  if (bytes > 0) check(cudaMalloc(&memory, bytes));
  return memory;
}
void device_release(void* memory) {
  cudaFree(memory);
}
void upload(void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice));
}
void download(void* to, const void* from, std::size_t bytes) {
  check(cudaDeviceSynchronize());
  check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost));
}

std::string why_no_device() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver == nullptr) return "no NVIDIA driver here (libcuda.so.1): the kernels did not run on a GPU";
  int n_devices = 0;
  const cudaError_t status = cudaGetDeviceCount(&n_devices);
  if (status != cudaSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(status);
  return n_devices > 0 ? "" : "the driver finds no CUDA device";
}

void start_counting() {}
std::optional<MovedBytes> counted() {
  return std::nullopt;
}
void reverse_schedule() {}
void restore_schedule() {}

}  // namespace dachlast::kernels::cuda::testing
