#pragma once

#include "kernels/cuda/attention.h"

// The variants behind attention.h.
namespace dachlast::kernels::cuda {

/// Into how many stretches a launch cuts each cache, so that partial results need no size from the device.
struct CacheCut {
  int n_splits;
  int stretch;  // slots
};

/// Stretches of at least 512 slots, and no more of them than fill 132 multiprocessors twice.
CacheCut cut_of(const CudaAttentionCall& call, int blocks_per_split);

/// Floats of partial results: [n_splits, rows of q · n_heads, value_dim + 2].
std::size_t state_floats(const CudaAttentionCall& call, const CacheCut& cut);

/// Rows of q in the call.
int n_rows(const CudaAttentionCall& call);

/// Query rows that a block of "stream" and of "latent" works on.
inline constexpr int kStreamRows = 8, kLatentRows = 16;

CudaAttention attention_tensor, attention_latent, attention_stream, attention_naive;

bool tensor_takes(const CudaAttentionCall& call);
bool latent_takes(const CudaAttentionCall& call);
bool stream_takes(const CudaAttentionCall& call);

CacheCut latent_cut(const CudaAttentionCall& call);
CacheCut stream_cut(const CudaAttentionCall& call);

/// Merges partial results into `out`.
void combine(const CudaAttentionCall& call, const CacheCut& cut, std::span<const float> states, Stream stream);

}  // namespace dachlast::kernels::cuda
