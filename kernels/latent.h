#pragma once

#include <span>

#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "kernels/kv_view.h"
#include "kernels/linear.h"
#include "kernels/variant.h"

// What latent attention does around attention: the up projection W of keys and values, applied to queries from the other
// side and to sums of latents, or to all latents of the cache.
// Source   DeepSeek-V2, arXiv:2405.04434, section 2.1.3.
namespace dachlast::kernels {

/// W [n_heads · (key_dim + value_dim), latent_dim] in rows: of each head first the rows of keys, then those of values.
struct LatentHeads {
  int n_heads;
  int key_dim;     // of a head's key without its rotated part
  int rotary_dim;  // of that part
  int value_dim;
  int latent_dim;

  int query_dim() const { return key_dim + rotary_dim; }
  int row_dim() const { return latent_dim + rotary_dim; }  // of a row of the cache
};

/// out[t, h] = [Σ_j q[t, h, j] · W[h's row j of keys], the rotated part of q[t, h]] for the heads of `heads`.
/// Shapes   q [n_tokens, n_heads, query_dim]; out [n_tokens, n_heads, row_dim].
/// Numbers  sums in float (the reference: in double); the same bits for any slicing and any number of tokens beside.
/// Memory   allocates nothing. Errors: none, sizes are preconditions. w: floats or bfloat16 in rows.
using AbsorbQueries = void(const LatentHeads&, int n_tokens, std::span<const float> q, WeightSpan w,
                           std::span<float> out, Slice heads);

/// out[t, h, i] = W[h's row i of values] · latents[t, h].
/// Shapes   latents [n_tokens, n_heads, latent_dim]; out [n_tokens, n_heads, value_dim]. The rest as above.
using RaiseValues = void(const LatentHeads&, int n_tokens, std::span<const float> latents, WeightSpan w,
                         std::span<float> out, Slice heads);

/// "simd", "reference".
std::span<const Variant<AbsorbQueries>> absorb_queries_variants();
std::span<const Variant<RaiseValues>> raise_values_variants();

// -------- K and V rebuilt

struct LatentRows {
  std::span<float> latents;  // [slots, latent_dim]
  std::span<float> keys;     // [slots, rotary_dim]
};

/// Rows of a cache of latents as floats, row of slot s in row s of `out`.
/// Memory   `row` holds row_dim floats and belongs to the calling thread.
void read_latents(const KvPool& pool, const KvSequence& sequence, const LatentHeads& s, const LatentRows& out,
                  std::span<float> row, Slice slots);

/// Writes K = [the keys' part of `raised`, the rotated key] and V of every head to slots of a block of `rebuilt_layout`.
/// Shapes   raised [slots, n_heads, key_dim + value_dim]; keys [slots, rotary_dim].
void join_heads(const LatentHeads& s, std::span<const float> raised, std::span<const float> keys,
                const MutableKvPool& pool, int block, Slice slots);

/// A block a sequence of K and V of all heads: float where the cache is, else bfloat16.
KvLayout rebuilt_layout(const LatentHeads& s, KvFormat cache, int n_slots);

/// 2 · n · k FLOP a token and head; the matrices of all heads, inputs and outputs once.
OpCost head_linear_cost(const HeadLinearShape& shape);

}  // namespace dachlast::kernels
