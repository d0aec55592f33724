#include "kernels/cuda/step_ops.h"

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/panels.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    gather_kernel(int width, const std::int32_t* rows, const float* in, float* out) {
  const float* const from = in + static_cast<std::int64_t>(rows[blockIdx.x]) * width;
  float* const to = out + static_cast<std::int64_t>(blockIdx.x) * width;
  for (int i = static_cast<int>(threadIdx.x); i < width; i += kThreads) to[i] = from[i];
}

__global__ void __launch_bounds__(kThreads) bias_kernel(std::int64_t n, int width, const float* bias, float* y) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = global_thread(); i < n; i += step) y[i] += bias[i % width];
}

__global__ void __launch_bounds__(kThreads) softcap_kernel(std::int64_t n, float cap, float* x) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = global_thread(); i < n; i += step) x[i] = cap * tanhf(x[i] / cap);
}

__global__ void __launch_bounds__(kThreads) round_kernel(std::int64_t n, const float* in, std::uint16_t* out) {
  const std::int64_t step = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  for (std::int64_t i = global_thread(); i < n; i += step) out[i] = to_bf16(in[i]).bits;
}

/// A block a panel and a stretch of its steps; a warp a row at a time, a lane a step, so that writes lie side by side. The rows
/// of a step share a cache line, which the other warps find where the first one has brought it.
template <int kBits>
__global__ void __launch_bounds__(kThreads)
    unpack_kernel(const Panels w, int first_panel, int n_rows, int columns, std::uint16_t* out) {
  constexpr int kColumns = kBits == 16 ? 2 : 4;
  const std::uint8_t* const panel = w.bytes + (first_panel + static_cast<std::int64_t>(blockIdx.x)) * w.panel_bytes;
  const int step = static_cast<int>(blockIdx.y) * kWarpSize + lane_id();
  if (step >= w.n_steps) return;
  for (int r = warp_id(); r < kPanelRows; r += kThreads / kWarpSize) {
    const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * kPanelRows + r;
    if (row >= n_rows) return;
    const float scale = scale_of(w, panel, step / w.group_steps, r);
    const std::uint32_t word = step_word(w, panel, step, r);
    for (int i = 0; i < kColumns; ++i) {
      const int column = step * kColumns + i;
      if (column < columns) out[row * columns + column] = to_bf16(scale * element_of<kBits>(word, r, i)).bits;
    }
  }
}

template <int kBits>
void launch_unpack(const PackedMatrix& w, const Panels& panels, int first_panel, std::span<BF16> out, Stream stream) {
  const auto n_rows = static_cast<int>(out.size() / static_cast<std::size_t>(w.columns));
  const dim3 grid(static_cast<unsigned>(ceil_div(n_rows, kPanelRows)),
                  static_cast<unsigned>(ceil_div(panels.n_steps, kWarpSize)));
  launch("unpack_panels", {grid, kThreads}, stream, unpack_kernel<kBits>, panels, first_panel, n_rows, w.columns,
         reinterpret_cast<std::uint16_t*>(out.data()));
}

}  // namespace

void gather_rows(std::span<const std::int32_t> rows, int width, std::span<const float> in, std::span<float> out,
                 Stream stream) {
  if (rows.empty()) return;
  launch("gather_rows", {dim3(static_cast<unsigned>(rows.size())), kThreads}, stream, gather_kernel, width, rows.data(),
         in.data(), out.data());
}

void add_bias(int n_rows, std::span<const float> bias, std::span<float> y, Stream stream) {
  const std::int64_t n = static_cast<std::int64_t>(n_rows) * static_cast<std::int64_t>(bias.size());
  if (n == 0) return;
  launch("add_bias", {blocks_for(n, kThreads), kThreads}, stream, bias_kernel, n, static_cast<int>(bias.size()),
         bias.data(), y.data());
}

void softcap(std::span<float> logits, float cap, Stream stream) {
  if (logits.empty()) return;
  const auto n = static_cast<std::int64_t>(logits.size());
  launch("softcap", {blocks_for(n, kThreads), kThreads}, stream, softcap_kernel, n, cap, logits.data());
}

void round_to_bf16(std::span<const float> in, std::span<BF16> out, Stream stream) {
  if (in.empty()) return;
  const auto n = static_cast<std::int64_t>(in.size());
  launch("round_to_bf16", {blocks_for(n, kThreads), kThreads}, stream, round_kernel, n, in.data(),
         reinterpret_cast<std::uint16_t*>(out.data()));
}

void unpack_panels(const PackedMatrix& w, int first_panel, std::span<BF16> out, Stream stream) {
  if (out.empty()) return;
  const Panels panels = panels_of(w);
  if (panels.bits == 16) return launch_unpack<16>(w, panels, first_panel, out, stream);
  if (panels.bits == 8) return launch_unpack<8>(w, panels, first_panel, out, stream);
  launch_unpack<4>(w, panels, first_panel, out, stream);
}

}  // namespace dachlast::kernels::cuda
