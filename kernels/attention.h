#pragma once

#include <cstddef>
#include <span>

#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "kernels/kv_view.h"
#include "kernels/variant.h"

namespace dachlast::kernels {

/// What the scores go through before softmax.
struct ScoreRule {
  float scale;    // multiplies q·k
  float softcap;  // 0: none; else cap · tanh(score / cap)
};

/// What a query at position p sees of the keys at positions k <= p.
/// Source   sinks, StreamingLLM, Xiao et al. 2023, arXiv:2309.17453, section 3.2.
struct MaskRule {
  int window = 0;   // 0: all; else p − window < k, and the sinks
  int n_sinks = 0;  // keys at positions below it are seen through every window
};

/// Attention of one layer in one step: of all new tokens of all sequences. Query head h reads KV head
/// g = h / (n_heads / n_kv_heads).
/// Shapes   q rows `q_stride` floats apart, head h at column h · head_dim; out rows [n_heads, value_dim] without gaps.
struct AttentionCall {
  int n_heads;
  ScoreRule rule;
  MaskRule mask;
  std::span<const float> q;
  int q_stride;
  KvView kv;
  std::span<float> out;
  std::span<float> states;  // `attention_state_floats`; shared by all threads
};

/// Bounds of what calls hold: memory is planned before their sequences are known.
struct AttentionSizes {
  int batch_size;
  int q_len;
  int kv_len;
  int n_heads;
  int n_kv_heads;
  int head_dim;
  int value_dim;
};

constexpr AttentionSizes sizes_of(const AttentionShape& s) {
  return {s.batch_size, s.q_len, s.kv_len, s.n_heads, s.n_kv_heads, s.head_dim, s.head_dim};
}

/// Of latent attention: to latents, one row of which all heads read, or to K and V rebuilt for each head.
constexpr AttentionSizes sizes_of(const WideAttentionShape& s) {
  const bool to_latents = s.score_dim == s.row_elements;
  return {s.batch_size, s.q_len, s.kv_len, s.n_heads, to_latents ? 1 : s.n_heads, s.score_dim, s.value_dim};
}

/// Elements of K and V that such an operation attends to beside the cache; 0 for attention to latents.
constexpr double rebuilt_elements(const WideAttentionShape& s) {
  if (s.score_dim == s.row_elements) return 0.0;
  return 1.0 * s.batch_size * s.kv_len * s.n_heads * (1.0 * s.score_dim + s.value_dim);
}

/// Bytes of one of them.
constexpr int rebuilt_element_bytes(KvFormat cache) {
  return cache == KvFormat::kF32 ? 4 : 2;
}

/// Independent pieces of the work. A unit is one KV head of one sequence, and of that
///   a tile of its queries, with all query heads of the KV head, or
///   where the step has few queries a sequence (decode): a stretch of its cache, whose partial result goes to `states`.
/// Sizes and lengths of the sequence alone decide the cut: results depend neither on threads nor on other sequences.
int attention_units(const AttentionCall& call);

/// Floats for the partial results of a step; 0 where none is cut along its cache.
std::size_t attention_state_floats(const AttentionSizes& sizes);

/// Runs units of
///   out[i, h] = softmax(rule(q[i, h] · K[g]ᵀ)) · V[g]   over the keys that query i may see
/// Numbers  scores and sums in float; variants whose arithmetic is BF16 round q, K, V and weights to bfloat16 before
///          they multiply them.
/// Memory   allocates nothing; `scratch` holds the variant's `scratch_floats` and belongs to the calling thread. O(1) in
///          kv_len, but for the naive variant.
/// Errors   none: sizes are preconditions, asserted in debug builds.
/// Source   online softmax, Milakov & Gimelshein 2018, arXiv:1805.02867; tiling, Dao et al. 2022, arXiv:2205.14135;
///          cut along the cache, Flash-Decoding, Dao et al. 2023, https://crfm.stanford.edu/2023/10/12/flashdecoding.html.
using Attention = void(const AttentionCall& call, std::span<float> scratch, Slice units);

struct AttentionVariant : Variant<Attention> {
  std::size_t (*scratch_floats)(const AttentionSizes&);  // per thread
  bool (*suits)(KvFormat);                               // chosen for caches of this format; every variant takes all
};

/// Work that is left when all units are done: rows of `out` whose partial results are to be merged.
int combine_units(const AttentionCall& call);
/// Source   the state (o, m, d) and its merge operator, FlashInfer, Ye et al. 2025, arXiv:2501.01005, section 2.2.
void combine_attention(const AttentionCall& call, Slice rows);

/// "bf16" (bfloat16 dot products, for caches of 16 bits and fewer), "tiled" (float), both with online softmax and never
/// an n×n buffer; "naive" (materialises the scores of each head: the teaching baseline), "reference".
std::span<const AttentionVariant> attention_variants();
/// The first supported variant that suits the format, or the one named.
const AttentionVariant& attention_variant_for(KvFormat format, std::string_view forced = {});

/// Scratch floats per thread that a plan reserves: of the variant named, or the most that `attention_variant_for` may
/// choose on any CPU, so that a plan does not depend on where it is made.
std::size_t planned_scratch_floats(KvFormat format, const AttentionSizes& sizes, std::string_view forced = {});

/// The format in which a cache holds elements of a type.
constexpr KvFormat kv_format_of(DType dtype) {
  switch (dtype) {
    case DType::kF32: return KvFormat::kF32;
    case DType::kF16: return KvFormat::kF16;
    case DType::kBF16: return KvFormat::kBF16;
    case DType::kI8: break;
  }
  return KvFormat::kInt8;
}

/// FLOP over the (query, key) pairs that causality and window leave: 4 · head_dim · n_heads a pair. Leaves out softmax:
/// about 5 FLOP per score against 4 · head_dim. KV read: each visible key and value row once per sequence.
OpCost attention_cost(const AttentionShape& shape);

/// The same for a call as it is, sequence by sequence: rows and scales of the format, block tables and positions.
OpCost attention_cost(const AttentionCall& call);

}  // namespace dachlast::kernels
