#pragma once

// What every kernel file starts from. The same sources run on the host in the tests (tests/emulation).
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstddef>
#include <cstdint>

#include "core/base/half.h"

#ifdef __CUDACC__
#include <cuda_runtime.h>
#include <mma.h>
/// The block's shared memory as one struct: all a kernel keeps there is in one place, with one size.
#define DACHLAST_SHARED(Type, name)                                       \
  extern __shared__ __align__(128) unsigned char dachlast_shared_bytes[]; \
  Type& name = *reinterpret_cast<Type*>(dachlast_shared_bytes)
#endif

namespace dachlast::kernels::cuda {

inline constexpr unsigned kAllLanes = 0xffffffffu;
inline constexpr int kWarpSize = 32;
inline constexpr int kMostWarps = 32;  // of a block

/// Where one array a block reduces over is kept: a value a warp.
struct Partials {
  float of_warp[kMostWarps];
};

__device__ inline int lane_id() {
  return static_cast<int>(threadIdx.x) % kWarpSize;
}
__device__ inline int warp_id() {
  return static_cast<int>(threadIdx.x) / kWarpSize;
}
__device__ inline int n_warps() {
  return static_cast<int>(blockDim.x) / kWarpSize;
}

__device__ inline float warp_sum(float x) {
  for (int with = kWarpSize / 2; with > 0; with /= 2) x += __shfl_xor_sync(kAllLanes, x, with);
  return x;
}
__device__ inline float warp_max(float x) {
  for (int with = kWarpSize / 2; with > 0; with /= 2) x = fmaxf(x, __shfl_xor_sync(kAllLanes, x, with));
  return x;
}
__device__ inline float warp_min(float x) {
  for (int with = kWarpSize / 2; with > 0; with /= 2) x = fminf(x, __shfl_xor_sync(kAllLanes, x, with));
  return x;
}

/// Sum over the block, the same bits in every thread. `partials` may be used again at once.
__device__ inline float block_sum(float x, Partials& partials) {
  x = warp_sum(x);
  if (lane_id() == 0) partials.of_warp[warp_id()] = x;
  __syncthreads();
  float sum = 0.0f;
  for (int warp = 0; warp < n_warps(); ++warp) sum += partials.of_warp[warp];
  __syncthreads();
  return sum;
}
__device__ inline float block_max(float x, Partials& partials) {
  x = warp_max(x);
  if (lane_id() == 0) partials.of_warp[warp_id()] = x;
  __syncthreads();
  float most = partials.of_warp[0];
  for (int warp = 1; warp < n_warps(); ++warp) most = fmaxf(most, partials.of_warp[warp]);
  __syncthreads();
  return most;
}

/// For grids of one dimension and loops over elements that any thread may take.
__device__ inline std::int64_t global_thread() {
  return static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}

}  // namespace dachlast::kernels::cuda
