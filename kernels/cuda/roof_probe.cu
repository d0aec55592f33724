#include "kernels/cuda/roof_probe.h"

#include <algorithm>

#include "kernels/cuda/launch.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kUnrolled = 4;  // loads under way a thread: 64 bytes, which with 2,048 threads cover the latency of HBM

struct ProbeShared {
  Partials partials;
};

__global__ void __launch_bounds__(kThreads) read_kernel(std::int64_t n, const float4* values, float* out) {
  DACHLAST_SHARED(ProbeShared, shared);
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  float sum = 0.0f;
  std::int64_t i = global_thread();
  for (; i + (kUnrolled - 1) * step < n; i += kUnrolled * step) {
    float4 x[kUnrolled];
    for (int j = 0; j < kUnrolled; ++j) x[j] = values[i + j * step];
    for (int j = 0; j < kUnrolled; ++j) sum += x[j].x + x[j].y + x[j].z + x[j].w;
  }
  for (; i < n; i += step) {
    const float4 x = values[i];
    sum += x.x + x.y + x.z + x.w;
  }
  sum = block_sum(sum, shared.partials);
  if (threadIdx.x == 0) out[blockIdx.x] = sum;
}

}  // namespace

void read_probe(std::span<const float> values, std::span<float> out, Stream stream) {
  const auto n = static_cast<std::int64_t>(values.size() / 4);
  if (n == 0) return;
  LaunchSizes sizes{blocks_for(n, kThreads), kThreads, sizeof(ProbeShared)};
  sizes.grid.x = std::min(sizes.grid.x, static_cast<unsigned>(out.size()));
  launch("read_probe", sizes, stream, read_kernel, n, reinterpret_cast<const float4*>(values.data()), out.data());
}

}  // namespace dachlast::kernels::cuda
