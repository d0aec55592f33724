#include "kernels/cuda/weight_gemv.h"

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/panels.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / kWarpSize;
/// Steps that share a scale in every type: 8 steps of 4 columns are the smallest group.
constexpr int kChunkSteps = 8;

struct GemvArguments {
  Panels w;
  int m;
  int n;
  int k;
  const float* x;
  const float* bias;
  float* y;
};

struct GemvShared {
  float sums[kWarps][kGemvRows][kWarpSize];
};

/// Adds `n_steps` steps from `first` on to the sums of a lane's row, scale left out.
template <int kBits>
__device__ void add_steps(const GemvArguments& a, const std::uint8_t* panel, int first_row, int first, int n_steps,
                          float (&sums)[kGemvRows]) {
  constexpr int kColumns = kBits == 16 ? 2 : 4;
  for (int step = first; step < first + n_steps; ++step) {
    const std::uint32_t word = step_word(a.w, panel, step, lane_id());
    for (int i = 0; i < kColumns; ++i) {
      const int column = step * kColumns + i;
      if (column >= a.k) break;  // filled up
      const float weight = element_of<kBits>(word, lane_id(), i);
      for (int r = 0; r < kGemvRows; ++r)
        if (first_row + r < a.m) sums[r] += weight * a.x[static_cast<std::int64_t>(first_row + r) * a.k + column];
    }
  }
}

/// A block a panel, a lane a row of it, the columns shared out over warps.
template <int kBits>
__global__ void __launch_bounds__(kThreads) gemv_kernel(const GemvArguments a) {
  DACHLAST_SHARED(GemvShared, shared);
  const std::uint8_t* const panel = a.w.bytes + blockIdx.x * a.w.panel_bytes;
  const int first_row = static_cast<int>(blockIdx.y) * kGemvRows;
  float sums[kGemvRows] = {};
  for (int first = warp_id() * kChunkSteps; first < a.w.n_steps; first += kWarps * kChunkSteps) {
    const float scale = scale_of(a.w, panel, first / a.w.group_steps, lane_id());
    float chunk[kGemvRows] = {};
    add_steps<kBits>(a, panel, first_row, first, min(kChunkSteps, a.w.n_steps - first), chunk);
    for (int r = 0; r < kGemvRows; ++r) sums[r] += scale * chunk[r];
  }
  for (int r = 0; r < kGemvRows; ++r) shared.sums[warp_id()][r][lane_id()] = sums[r];
  __syncthreads();
  const int row = first_row + warp_id(), column = static_cast<int>(blockIdx.x) * kPanelRows + lane_id();
  if (warp_id() >= kGemvRows || row >= a.m || column >= a.n) return;
  float sum = a.bias == nullptr ? 0.0f : a.bias[column];
  for (int warp = 0; warp < kWarps; ++warp) sum += shared.sums[warp][warp_id()][lane_id()];
  a.y[static_cast<std::int64_t>(row) * a.n + column] = sum;
}

}  // namespace

void weight_gemv(const LinearShape& shape, std::span<const float> x, const PackedMatrix& w, std::span<const float> bias,
                 std::span<float> y, Stream stream) {
  if (shape.m == 0 || shape.n == 0) return;
  const GemvArguments a{panels_of(w), shape.m, shape.n, shape.k, x.data(), bias.empty() ? nullptr : bias.data(),
                        y.data()};
  const LaunchSizes sizes{
      dim3(static_cast<unsigned>(w.n_panels()), static_cast<unsigned>(ceil_div(shape.m, kGemvRows))), kThreads,
      sizeof(GemvShared)};
  if (a.w.bits == 16) return launch("weight_gemv", sizes, stream, gemv_kernel<16>, a);
  if (a.w.bits == 8) return launch("weight_gemv", sizes, stream, gemv_kernel<8>, a);
  launch("weight_gemv", sizes, stream, gemv_kernel<4>, a);
}

}  // namespace dachlast::kernels::cuda
