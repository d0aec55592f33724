// Has not run on a GPU.
#include "kernels/cuda/latent.h"

#include <variant>

#include "kernels/cuda/launch.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kTokens = 8;  // that share a read of the weights: eight sums and a weight a thread stay in registers

__device__ float number(float x) {
  return x;
}
__device__ float number(BF16 x) {
  return to_float(x);
}

/// Elements of a head in rows of queries, and in what they become.
__device__ int query_width(const LatentHeads& s) {
  return s.key_dim + s.rotary_dim;
}
__device__ int row_width(const LatentHeads& s) {
  return s.latent_dim + s.rotary_dim;
}

/// Rows of one head's keys in W, and tokens first … first + n.
struct HeadWork {
  int head;
  int first_token;
  int n_tokens;
};

__device__ HeadWork head_work(int head, int n_tokens) {
  const int first = static_cast<int>(blockIdx.z) * kTokens;
  return {head, first, min(kTokens, n_tokens - first)};
}

/// A thread a column of the latents: neighbours read neighbours of a row of W. Threads behind them copy the rotated part.
template <class Weight>
__global__ void __launch_bounds__(kThreads)
    absorb_kernel(const LatentHeads s, int n_tokens, const float* q, const Weight* w, float* out) {
  const HeadWork work = head_work(static_cast<int>(blockIdx.y), n_tokens);
  const int column = static_cast<int>(blockIdx.x) * kThreads + static_cast<int>(threadIdx.x);
  if (column >= row_width(s)) return;
  const std::int64_t first_row = static_cast<std::int64_t>(work.first_token) * s.n_heads + work.head;
  const float* const queries = q + first_row * query_width(s);
  float* const rows = out + first_row * row_width(s) + column;
  const std::int64_t query_stride = static_cast<std::int64_t>(s.n_heads) * query_width(s);
  const std::int64_t row_stride = static_cast<std::int64_t>(s.n_heads) * row_width(s);
  if (column >= s.latent_dim) {
    const int rotated = s.key_dim + column - s.latent_dim;
    for (int t = 0; t < work.n_tokens; ++t) rows[t * row_stride] = queries[t * query_stride + rotated];
    return;
  }
  const Weight* const keys =
      w + static_cast<std::int64_t>(work.head) * (s.key_dim + s.value_dim) * s.latent_dim + column;
  float sums[kTokens] = {};
  for (int j = 0; j < s.key_dim; ++j) {
    const float weight = number(keys[static_cast<std::int64_t>(j) * s.latent_dim]);
#pragma unroll
    for (int t = 0; t < kTokens; ++t)
      if (t < work.n_tokens) sums[t] += queries[t * query_stride + j] * weight;
  }
#pragma unroll
  for (int t = 0; t < kTokens; ++t)
    if (t < work.n_tokens) rows[t * row_stride] = sums[t];
}

/// A warp an element of a head's output: its lanes read neighbours of a row of W.
template <class Weight>
__global__ void __launch_bounds__(kThreads)
    raise_kernel(const LatentHeads s, int n_tokens, const float* latents, const Weight* w, float* out) {
  const HeadWork work = head_work(static_cast<int>(blockIdx.y), n_tokens);
  const int i = static_cast<int>(blockIdx.x) * (kThreads / kWarpSize) + warp_id();
  if (i >= s.value_dim) return;
  const std::int64_t first_row = static_cast<std::int64_t>(work.first_token) * s.n_heads + work.head;
  const float* const in = latents + first_row * s.latent_dim;
  const std::int64_t in_stride = static_cast<std::int64_t>(s.n_heads) * s.latent_dim;
  const Weight* const row =
      w + (static_cast<std::int64_t>(work.head) * (s.key_dim + s.value_dim) + s.key_dim + i) * s.latent_dim;
  float sums[kTokens] = {};
  for (int l = lane_id(); l < s.latent_dim; l += kWarpSize) {
    const float weight = number(row[l]);
#pragma unroll
    for (int t = 0; t < kTokens; ++t)
      if (t < work.n_tokens) sums[t] += in[t * in_stride + l] * weight;
  }
#pragma unroll
  for (int t = 0; t < kTokens; ++t) {
    const float sum = warp_sum(sums[t]);
    if (lane_id() == 0 && t < work.n_tokens)
      out[(first_row + static_cast<std::int64_t>(t) * s.n_heads) * s.value_dim + i] = sum;
  }
}

dim3 grid_of(const LatentHeads& s, int n_columns, int columns_of_block, int n_tokens) {
  return {static_cast<unsigned>(ceil_div(n_columns, columns_of_block)), static_cast<unsigned>(s.n_heads),
          static_cast<unsigned>(ceil_div(n_tokens, kTokens))};
}

}  // namespace

void absorb_queries(const LatentHeads& heads, int n_tokens, std::span<const float> q, WeightSpan w,
                    std::span<float> out, Stream stream) {
  if (n_tokens == 0) return;
  const LaunchSizes sizes{grid_of(heads, heads.row_dim(), kThreads, n_tokens), kThreads};
  if (const auto* floats = std::get_if<std::span<const float>>(&w))
    launch("absorb_queries", sizes, stream, absorb_kernel<float>, heads, n_tokens, q.data(), floats->data(),
           out.data());
  else
    launch("absorb_queries", sizes, stream, absorb_kernel<BF16>, heads, n_tokens, q.data(),
           std::get<std::span<const BF16>>(w).data(), out.data());
}

void raise_values(const LatentHeads& heads, int n_tokens, std::span<const float> latents, WeightSpan w,
                  std::span<float> out, Stream stream) {
  if (n_tokens == 0) return;
  const LaunchSizes sizes{grid_of(heads, heads.value_dim, kThreads / kWarpSize, n_tokens), kThreads};
  if (const auto* floats = std::get_if<std::span<const float>>(&w))
    launch("raise_values", sizes, stream, raise_kernel<float>, heads, n_tokens, latents.data(), floats->data(),
           out.data());
  else
    launch("raise_values", sizes, stream, raise_kernel<BF16>, heads, n_tokens, latents.data(),
           std::get<std::span<const BF16>>(w).data(), out.data());
}

}  // namespace dachlast::kernels::cuda
