#include "kernels/cuda/elementwise.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/step_ops.h"

namespace dachlast::kernels::cuda {
namespace {

/// 8 warps hide the latency of one row of a few thousand floats; more would wait at the barriers of the two sums.
constexpr int kThreads = 256;

struct NormArguments {
  int dim;
  float eps;
  float weight_offset;
  const float* x;
  const float* w;
  const float* bias;
  float* out;
  int x_stride;
  int out_stride;
  int n_heads;      // rows next to each other at every stride
  float* residual;  // of add_norm, or null
};

/// A row stays in shared memory between its sums, so that it is read once.
struct NormShared {
  Partials partials;
  float row[1];  // [dim]
};

std::size_t shared_bytes(int dim) {
  return sizeof(Partials) + static_cast<std::size_t>(dim) * sizeof(float);
}

/// Where the block's row lies in an array of rows, or of heads.
__device__ std::int64_t row_offset(const NormArguments& a, int stride) {
  const auto row = static_cast<int>(blockIdx.x);
  return static_cast<std::int64_t>(row / a.n_heads) * stride + static_cast<std::int64_t>(row % a.n_heads) * a.dim;
}

/// Takes the row into shared memory; returns this thread's part of its sum.
__device__ float take_row(const NormArguments& a, NormShared& shared) {
  const std::int64_t row = blockIdx.x;
  const float* const x = a.x + row_offset(a, a.x_stride);
  float sum = 0.0f;
  for (int i = static_cast<int>(threadIdx.x); i < a.dim; i += kThreads) {
    float value = x[i];
    if (a.residual != nullptr) {
      value += a.residual[row * a.dim + i];
      a.residual[row * a.dim + i] = value;
    }
    shared.row[i] = value;
    sum += value;
  }
  return sum;
}

template <NormKind kKind>
__global__ void __launch_bounds__(kThreads) norm_kernel(const NormArguments a) {
  DACHLAST_SHARED(NormShared, shared);
  const float sum = take_row(a, shared);
  const float mean = kKind == NormKind::kLayer ? block_sum(sum, shared.partials) / static_cast<float>(a.dim) : 0.0f;
  // Deviations from the mean before they are squared: E[x²] − mean² loses all digits where the mean is large. Each
  // thread reads back what it has written itself.
  float squares = 0.0f;
  for (int i = static_cast<int>(threadIdx.x); i < a.dim; i += kThreads) {
    const float deviation = shared.row[i] - mean;
    squares += deviation * deviation;
  }
  const float variance = block_sum(squares, shared.partials) / static_cast<float>(a.dim);
  const float scale = 1.0f / sqrtf(variance + a.eps);
  float* const out = a.out + row_offset(a, a.out_stride);
  for (int i = static_cast<int>(threadIdx.x); i < a.dim; i += kThreads) {
    const float normalised = (shared.row[i] - mean) * scale * (a.weight_offset + a.w[i]);
    out[i] = a.bias == nullptr ? normalised : normalised + a.bias[i];
  }
}

const float* data_or_null(std::span<const float> values) {
  return values.empty() ? nullptr : values.data();
}

void launch_norm(const NormShape& shape, const NormArguments& arguments, Stream stream) {
  if (shape.n_rows == 0) return;
  const LaunchSizes sizes{dim3(static_cast<unsigned>(shape.n_rows)), kThreads, shared_bytes(shape.dim)};
  if (shape.kind == NormKind::kLayer)
    launch("norm", sizes, stream, norm_kernel<NormKind::kLayer>, arguments);
  else
    launch("norm", sizes, stream, norm_kernel<NormKind::kRms>, arguments);
}

}  // namespace

void norm(const NormShape& shape, const NormRule& rule, std::span<const float> x, int x_stride,
          std::span<const float> w, std::span<const float> bias, std::span<float> out, int out_stride, Stream stream) {
  launch_norm(shape,
              {shape.dim, rule.eps, rule.weight_offset, x.data(), w.data(), data_or_null(bias), out.data(), x_stride,
               out_stride, 1, nullptr},
              stream);
}

void norm_heads(const NormShape& shape, const NormRule& rule, std::span<float> heads, int n_heads, int stride,
                std::span<const float> w, Stream stream) {
  launch_norm(shape,
              {shape.dim, rule.eps, rule.weight_offset, heads.data(), w.data(), nullptr, heads.data(), stride, stride,
               n_heads, nullptr},
              stream);
}

void add_norm(const NormShape& shape, const NormRule& rule, std::span<float> residual, std::span<const float> branch,
              std::span<const float> w, std::span<const float> bias, std::span<float> out, Stream stream) {
  launch_norm(shape,
              {shape.dim, rule.eps, rule.weight_offset, branch.data(), w.data(), data_or_null(bias), out.data(),
               shape.dim, shape.dim, 1, residual.data()},
              stream);
}

}  // namespace dachlast::kernels::cuda
