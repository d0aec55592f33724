#pragma once

#include <cstddef>
#include <span>
#include <variant>

#include "core/base/half.h"
#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "kernels/variant.h"

namespace dachlast::kernels {

using KvSpan = std::variant<std::span<const float>, std::span<const BF16>>;

/// One layer of a contiguous KV cache. k and v are [batch_size, n_kv_heads, capacity, head_dim], row-major: the tokens
/// of one head lie next to each other, which is the order decode reads them in.
struct KvView {
  KvSpan k;
  KvSpan v;
  int capacity;  // tokens
};

/// What the scores go through before softmax.
struct ScoreRule {
  float scale;    // multiplies q·k
  float softcap;  // 0: none; else cap · tanh(score / cap)
};

/// Queries of one unit: a tile of tokens that share KV heads.
inline constexpr int kQueryTile = 32;

/// Independent pieces of the work: batch_size · n_kv_heads · ceil(q_len / kQueryTile); unit index in that order, query
/// tile fastest. One unit holds all query heads of its KV head, so each K and V row is read once per unit.
int attention_units(const AttentionShape& shape);

/// Attends to a contiguous KV cache, causal, query head h reads KV head g = h / (n_heads / n_kv_heads):
///   out[b, i, h] = softmax(rule(q[b, i, h] · K[b, g]ᵀ)) · V[b, g]   over the keys the query may see
/// Shapes   q [batch_size · q_len, q_stride], head h at column h · head_dim; out [batch_size · q_len, n_heads,
/// head_dim].
/// Numbers  scores and sums in float. Memory: allocates nothing; `scratch` holds `attention_scratch_floats` floats and
///          belongs to the calling thread.
/// Errors   none: sizes are preconditions, asserted in debug builds.
/// Source   online softmax, Milakov & Gimelshein 2018, arXiv:1805.02867; tiling, Dao et al. 2022, arXiv:2205.14135.
using Attention = void(const AttentionShape&, const ScoreRule&, std::span<const float> q, int q_stride,
                       const KvView& kv, std::span<float> out, std::span<float> scratch, Slice units);

struct AttentionVariant : Variant<Attention> {
  std::size_t (*scratch_floats)(const AttentionShape&);  // per thread
};

/// "tiled" (online softmax, never an n×n buffer), "naive" (materialises the scores of each head: the teaching
/// baseline), "reference".
std::span<const AttentionVariant> attention_variants();
const AttentionVariant& attention_variant_for(std::string_view forced = {});

/// FLOP over the (query, key) pairs that causality and window leave: 4 · head_dim · n_heads a pair. Leaves out softmax:
/// about 5 FLOP per score against 4 · head_dim. KV read: each visible key and value row once per sequence.
OpCost attention_cost(const AttentionShape& shape);

}  // namespace dachlast::kernels
