#pragma once

#include <span>

#include "core/base/op_cost.h"
#include "kernels/kv_view.h"
#include "kernels/variant.h"

namespace dachlast::kernels {

/// Where new tokens of one sequence go: token i to slot slots[i], or first_slot + i where `slots` is empty.
struct KvTarget {
  MutableKvPool pool;
  std::span<const std::int32_t> blocks;
  std::span<BF16> tail;  // `tail_elements` long
  int first_slot = 0;
  std::span<const std::int32_t> slots;
};

/// Writes K and V of `n_tokens` new tokens of one sequence, quantizing. With scales per channel keys go into the tail,
/// and when a block is complete, from there into the pool: such tokens come in the order of their slots, none left out.
/// Shapes   k, v: rows `stride` floats apart, KV head g at column g · head_dim (v: g · value_dim); v is not read with
///          KvValues::kInKeys.
/// Numbers  what is stored depends on the row alone (per token) or on the block's rows alone (per channel), never on
///          how tokens come in calls. A NaN or infinity makes all that shares its scale read as NaN.
/// Memory   allocates nothing. Errors: none, sizes are preconditions.
/// Threads  `heads` is a slice of the KV heads: heads share neither rows nor scales nor tail.
void store_kv(const KvTarget& target, std::span<const float> k, std::span<const float> v, int stride, int n_tokens,
              Slice heads);

/// No FLOP: rounding is not arithmetic. Reads floats, writes rows and scales; keys with scales per channel are written
/// to the tail, and read and written again when their block is complete.
OpCost store_kv_cost(const KvLayout& layout, int n_tokens);

}  // namespace dachlast::kernels
