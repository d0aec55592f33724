#include "kernels/cuda/probes.h"

#include <cassert>

#include "kernels/cuda/launch.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 256;

/// Four independent vectors in flight a thread hide the latency of memory with half the occupancy.
constexpr int kUnrolled = 4;

__global__ void __launch_bounds__(kThreads)
    read_passes_kernel(std::int64_t n, int n_passes, const float4* in, float* sums) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  float sum = 0.0f;
  for (int pass = 0; pass < n_passes; ++pass) {
    for (std::int64_t i = global_thread(); i < n; i += kUnrolled * step)
      for (int j = 0; j < kUnrolled; ++j) {
        const std::int64_t at = i + j * step;
        if (at >= n) break;
        const float4 value = in[at];
        sum += (value.x + value.y) + (value.z + value.w);
      }
  }
  sum = warp_sum(sum);
  if (lane_id() == 0) sums[global_thread() / kWarpSize] = sum;
}

/// Each pass stores again: `in` and `out` may be one array for all that the compiler knows.
__global__ void __launch_bounds__(kThreads)
    copy_passes_kernel(std::int64_t n, int n_passes, const float4* in, float4* out) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (int pass = 0; pass < n_passes; ++pass)
    for (std::int64_t i = global_thread(); i < n; i += step) out[i] = in[i];
}

__global__ void __launch_bounds__(kThreads) write_probe_kernel(std::int64_t n, float4* out) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  const float4 ones{1.0f, 1.0f, 1.0f, 1.0f};
  for (std::int64_t i = global_thread(); i < n; i += step) out[i] = ones;
}

__global__ void empty_probe_kernel() {}

std::int64_t vectors(std::size_t n) {
  assert(n % 4 == 0);
  return static_cast<std::int64_t>(n / 4);
}

}  // namespace

std::size_t read_passes_sums(std::size_t n) {
  return static_cast<std::size_t>(blocks_for(vectors(n), kThreads).x) * (kThreads / kWarpSize);
}

void read_passes(std::span<const float> in, int n_passes, std::span<float> sums, Stream stream) {
  assert(sums.size() >= read_passes_sums(in.size()));
  const std::int64_t n = vectors(in.size());
  launch("read_passes", {blocks_for(n, kThreads), kThreads}, stream, read_passes_kernel, n, n_passes,
         reinterpret_cast<const float4*>(in.data()), sums.data());
}

void copy_passes(std::span<const float> in, int n_passes, std::span<float> out, Stream stream) {
  assert(in.size() == out.size());
  const std::int64_t n = vectors(in.size());
  launch("copy_passes", {blocks_for(n, kThreads), kThreads}, stream, copy_passes_kernel, n, n_passes,
         reinterpret_cast<const float4*>(in.data()), reinterpret_cast<float4*>(out.data()));
}

void write_probe(std::span<float> out, Stream stream) {
  const std::int64_t n = vectors(out.size());
  launch("write_probe", {blocks_for(n, kThreads), kThreads}, stream, write_probe_kernel, n,
         reinterpret_cast<float4*>(out.data()));
}

void empty_probe(Stream stream) {
  launch("empty_probe", {dim3(1), kWarpSize}, stream, empty_probe_kernel);
}

std::size_t second_level_cache_bytes(int device) {
  int bytes = 0;
  check(cudaDeviceGetAttribute(&bytes, cudaDevAttrL2CacheSize, device), "CUDA device");
  return static_cast<std::size_t>(bytes);
}

}  // namespace dachlast::kernels::cuda
