#pragma once

#include <algorithm>

#include "core/base/op.h"
#include "kernels/attention.h"

namespace dachlast::kernels::cpu {

/// One independent piece of attention: a tile of queries of one sequence and all query heads of one KV head.
struct AttentionUnit {
  int sequence;
  int kv_head;
  int first_query;
  int n_queries;

  int end_query() const { return first_query + n_queries; }
};

inline int query_tiles(const AttentionShape& shape) {
  return (shape.q_len + kQueryTile - 1) / kQueryTile;
}

inline int group_size(const AttentionShape& shape) {
  return shape.n_heads / shape.n_kv_heads;
}

inline AttentionUnit unit_at(const AttentionShape& shape, int index) {
  const int tiles = query_tiles(shape);
  const int first_query = index % tiles * kQueryTile;
  return {.sequence = index / tiles / shape.n_kv_heads,
          .kv_head = index / tiles % shape.n_kv_heads,
          .first_query = first_query,
          .n_queries = std::min(kQueryTile, shape.q_len - first_query)};
}

/// Half-open range of cache rows.
struct KeyRange {
  int begin;
  int end;
};

/// The keys that causality and window leave to one query; never empty, a query always sees itself.
inline KeyRange visible_keys(const AttentionShape& shape, int query) {
  const int end = shape.kv_len - shape.q_len + query + 1;
  return {.begin = shape.window > 0 ? std::max(0, end - shape.window) : 0, .end = end};
}

/// Rows of one head of one sequence in a cache tensor, `capacity · head_dim` elements on.
template <class T>
const T* head_rows(std::span<const T> cache, const AttentionShape& shape, int capacity, const AttentionUnit& unit) {
  const std::size_t head = static_cast<std::size_t>(unit.sequence) * shape.n_kv_heads + unit.kv_head;
  return cache.data() + head * capacity * shape.head_dim;
}

}  // namespace dachlast::kernels::cpu
