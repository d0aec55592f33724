#pragma once

#include <span>
#include <string_view>

#include "kernels/attention.h"
#include "kernels/cuda/sequence.h"
#include "kernels/cuda/stream.h"

namespace dachlast::kernels::cuda {

/// AttentionCall on a device: spans point to device memory, lengths of single sequences are known there alone.
struct CudaAttentionCall {
  int n_heads;
  ScoreRule rule;
  MaskRule mask;
  std::span<const float> q;
  int q_stride;
  KvPool pool;
  std::span<const CudaSequence> sequences;
  std::span<const std::int32_t> blocks;
  int longest_q_len;
  int longest_kv_len;
  std::span<float> out;  // [n_rows, n_heads, value_dim]
  RingRule ring = {};
  std::span<const BF16> tails = {};  // [place, n_kv_heads, block_size, head_dim]; with scales along channels only
};

/// Queues the attention of one layer in one step. `workspace` holds the variant's `workspace_floats`.
/// Numbers  scores and sums in float; "tensor" and "latent" round q, K, V and weights to bfloat16 (caches in float16: to
///          float16) before they multiply them.
/// Errors   `Error` of kind kDevice where the launch is refused.
/// Source   as `kernels::Attention`.
using CudaAttention = void(const CudaAttentionCall& call, std::span<float> workspace, Stream stream);

struct CudaAttentionVariant : Variant<CudaAttention> {
  bool (*takes)(const CudaAttentionCall&);  // layouts and sizes it has kernels for
  bool (*suits)(const CudaAttentionCall&);  // made for it
  std::size_t (*workspace_floats)(const CudaAttentionCall&);
};

/// "tensor" (prefill on tensor cores), "latent" (values in the keys, on tensor cores), "stream" (decode in float, cut along
/// the cache), "naive" (all scores in memory, three kernels: the teaching baseline).
std::span<const CudaAttentionVariant> attention_variants();

/// The first variant that takes and suits the call, or the one named.
/// Errors   `Error` where the one named does not take it: rows wider than its tiles.
const CudaAttentionVariant& attention_variant_for(const CudaAttentionCall& call, std::string_view forced = {});

/// Cut lengths are counted in steps of so many slots, so that a step that is captured as a graph serves all lengths of a step.
inline constexpr int kCutStep = 512;

/// `longest_kv_len` of calls whose launches shall not change with every token.
constexpr int padded_kv_len(int kv_len) {
  return (kv_len + kCutStep - 1) / kCutStep * kCutStep;
}

/// Workspace that is enough for every call of at most these sizes with a padded length, by the variant named or by any that
/// may be chosen.
std::size_t planned_workspace_floats(const KvLayout& layout, const AttentionSizes& most, std::string_view forced = {});

}  // namespace dachlast::kernels::cuda
