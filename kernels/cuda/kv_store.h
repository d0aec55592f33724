#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/stream.h"
#include "kernels/kv_store.h"

namespace dachlast::kernels::cuda {

/// Slots of a pool that new tokens go to, of all sequences of a step at once: slot s is row s % block_size of block
/// s / block_size. No two tokens share one.
struct CudaKvTarget {
  MutableKvPool pool;
  std::span<const std::int32_t> slots;  // [n_tokens]
};

/// What `store_kv` writes, to the bit for finite rows: spans point to device memory, the whole step is queued at once.
/// Shapes   k, v: rows `stride` floats apart, KV head g at column g · head_dim (v: g · value_dim).
/// Errors   `Error` for scales per channel, whose incomplete blocks live on the host; kDevice where the launch is refused.
void store_kv(const CudaKvTarget& target, std::span<const float> k, std::span<const float> v, int stride,
              Stream stream);

/// `kernels::store_kv_cost`, and the slots.
OpCost store_kv_cost(const CudaKvTarget& target);

}  // namespace dachlast::kernels::cuda
