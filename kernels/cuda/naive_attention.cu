// The teaching baseline: softmax(Q · Kᵀ) · V as it is written, three kernels with all scores in memory between them.
#include "kernels/cuda/cache_rows.cuh"

namespace dachlast::kernels::cuda {
namespace {

constexpr int kThreads = 128;
// Stated so that the compiler takes the registers that this leaves, and spills none on any target.
constexpr int kBlocksAtOnce = 8;

struct NaiveArguments {
  AttentionArguments of;
  float* scores;  // [n_sequences, n_heads, longest_q_len, longest_kv_len]
  int longest_q_len;
  int longest_kv_len;
};

/// Where a block works: a query of a head of a sequence.
struct NaiveRow {
  CudaSequence s;
  QueryRow row;
  int kv_head;
  bool exists;
  float* scores;
};

__device__ NaiveRow naive_row(const NaiveArguments& n) {
  const CudaSequence s = n.of.sequences[blockIdx.z];
  const auto query = static_cast<int>(blockIdx.x), head = static_cast<int>(blockIdx.y);
  const std::int64_t index = (static_cast<std::int64_t>(blockIdx.z) * n.of.n_heads + head) * n.longest_q_len + query;
  return {s,
          {query, head, s.first_position + query},
          head / n.of.group,
          query < s.q_len,
          n.scores + index * n.longest_kv_len};
}

__global__ void __launch_bounds__(kThreads, kBlocksAtOnce) naive_scores_kernel(const NaiveArguments n) {
  const AttentionArguments& a = n.of;
  const NaiveRow at = naive_row(n);
  if (!at.exists) return;
  const float* const q = q_of(a, at.s, at.row, a.keys.width);
  for (int slot = static_cast<int>(threadIdx.x); slot < at.s.kv_len; slot += kThreads) {
    if (!sees(a, at.row.position, slot)) {
      at.scores[slot] = -INFINITY;
      continue;
    }
    float score = 0.0f;
    for (int column = 0; column < a.keys.width; ++column)
      score += q[column] * cached_element(a, a.keys, at.s, at.kv_head, slot, column);
    at.scores[slot] = capped(a, score * a.rule.scale);
  }
}

struct NaiveShared {
  Partials partials;
};

__global__ void __launch_bounds__(kThreads) naive_softmax_kernel(const NaiveArguments n) {
  DACHLAST_SHARED(NaiveShared, shared);
  const NaiveRow at = naive_row(n);
  if (!at.exists) return;
  float most = -INFINITY, sum = 0.0f;
  for (int slot = static_cast<int>(threadIdx.x); slot < at.s.kv_len; slot += kThreads)
    most = fmaxf(most, at.scores[slot]);
  most = block_max(most, shared.partials);
  for (int slot = static_cast<int>(threadIdx.x); slot < at.s.kv_len; slot += kThreads)
    sum += exp2f((at.scores[slot] - most) * kLog2E);
  sum = block_sum(sum, shared.partials);
  for (int slot = static_cast<int>(threadIdx.x); slot < at.s.kv_len; slot += kThreads)
    at.scores[slot] = exp2f((at.scores[slot] - most) * kLog2E) / sum;
}

__global__ void __launch_bounds__(kThreads) naive_values_kernel(const NaiveArguments n) {
  const AttentionArguments& a = n.of;
  const NaiveRow at = naive_row(n);
  if (!at.exists) return;
  float* const out = a.out + out_row(a, at.s, at.row) * a.values.width;
  for (int column = static_cast<int>(threadIdx.x); column < a.values.width; column += kThreads) {
    float sum = 0.0f;
    for (int slot = 0; slot < at.s.kv_len; ++slot) {
      if (!sees(a, at.row.position, slot)) continue;
      sum += at.scores[slot] * cached_element(a, a.values, at.s, at.kv_head, slot, column);
    }
    out[column] = sum;
  }
}

}  // namespace

void attention_naive(const CudaAttentionCall& call, std::span<float> workspace, Stream stream) {
  if (call.sequences.empty() || call.longest_q_len == 0) return;
  const NaiveArguments n{arguments_of(call, {1, call.longest_kv_len}, {}), workspace.data(), call.longest_q_len,
                         call.longest_kv_len};
  const dim3 grid(static_cast<unsigned>(call.longest_q_len), static_cast<unsigned>(call.n_heads),
                  static_cast<unsigned>(call.sequences.size()));
  launch("attention (naive scores)", {grid, kThreads}, stream, naive_scores_kernel, n);
  launch("attention (naive softmax)", {grid, kThreads, sizeof(NaiveShared)}, stream, naive_softmax_kernel, n);
  launch("attention (naive values)", {grid, kThreads}, stream, naive_values_kernel, n);
}

}  // namespace dachlast::kernels::cuda
