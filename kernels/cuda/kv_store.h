#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/sequence.h"
#include "kernels/cuda/stream.h"
#include "kernels/kv_store.h"

namespace dachlast::kernels::cuda {

/// Slots of a pool that new tokens go to, of all sequences of a step at once: slot s is row s % block_size of block
/// s / block_size. No two tokens share one.
struct CudaKvTarget {
  MutableKvPool pool;
  std::span<const std::int32_t> slots;  // [n_tokens]

  // Only where keys have scales along channels: their blocks are given codes when they are full, until then they wait.
  std::span<BF16> tails = {};  // [place, n_kv_heads, block_size, head_dim]
  std::span<const CudaSequence> sequences = {};
  std::span<const std::int32_t> blocks = {};  // tables of all sequences
  int longest_q_len = 0;
};

/// What `store_kv` writes, to the bit for finite rows: spans point to device memory, the whole step is queued at once.
/// Shapes   k, v: rows `stride` floats apart, KV head g at column g · head_dim (v: g · value_dim).
/// Errors   `Error` of kind kDevice where the launch is refused.
void store_kv(const CudaKvTarget& target, std::span<const float> k, std::span<const float> v, int stride,
              Stream stream);

/// `kernels::store_kv_cost`, and the slots.
OpCost store_kv_cost(const CudaKvTarget& target);

/// With scales along channels, where it depends on which blocks become full: these are read as they wait, with the step's
/// own keys, and written as codes; the step's keys in each last block are written once more, to wait.
OpCost store_channels_cost(const CudaKvTarget& target, std::span<const CudaSequence> sequences_on_host);

}  // namespace dachlast::kernels::cuda
