#pragma once

#include <cstdint>
#include <span>

#include "kernels/cpu/attention_scratch.h"
#include "kernels/cpu/attention_unit.h"

namespace dachlast::kernels::cpu {

/// One call of `Attention` with the element type of its cache known.
template <class T>
struct AttentionCall {
  const AttentionShape& shape;
  const ScoreRule& rule;
  const float* q;
  int q_stride;
  std::span<const T> k;
  std::span<const T> v;
  int capacity;
  float* out;
  std::span<float> scratch;
};

/// Calls `run(AttentionCall<T>)` with the call's cache type.
template <class Run>
void with_cache_type(const AttentionShape& shape, const ScoreRule& rule, std::span<const float> q, int q_stride,
                     const KvView& kv, std::span<float> out, std::span<float> scratch, const Run& run) {
  std::visit(
      [&]<class T>(std::span<const T> k) {
        const auto v = std::get<std::span<const T>>(kv.v);
        run(AttentionCall<T>{shape, rule, q.data(), q_stride, k, v, kv.capacity, out.data(), scratch});
      },
      kv.k);
}

/// Keys [begins[r], ends[r]) that each query row of a block may see.
struct KeyBounds {
  std::int32_t begins[kQueryBlock];
  std::int32_t ends[kQueryBlock];
};

/// Query rows that share one KV head: all queries of the group's first member, then of the next.
template <class T>
class GroupRows {
 public:
  /// Rows of `n_members` heads from `first_member` of the group on.
  GroupRows(const AttentionCall<T>& call, const AttentionUnit& unit, int first_member, int n_members)
      : call_(call), unit_(unit), first_member_(first_member), n_members_(n_members) {}
  GroupRows(const AttentionCall<T>& call, const AttentionUnit& unit)
      : GroupRows(call, unit, 0, group_size(call.shape)) {}

  const AttentionShape& shape() const { return call_.shape; }
  const ScoreRule& rule() const { return call_.rule; }
  int size() const { return n_members_ * unit_.n_queries; }

  const float* q(int r) const {
    return call_.q + token(r) * call_.q_stride + static_cast<std::size_t>(head(r)) * shape().head_dim;
  }
  float* out(int r) const { return call_.out + (token(r) * shape().n_heads + head(r)) * shape().head_dim; }

  /// Cache rows from position `key` on.
  const T* k(int key) const {
    return head_rows(call_.k, shape(), call_.capacity, unit_) + static_cast<std::size_t>(key) * shape().head_dim;
  }
  const T* v(int key) const {
    return head_rows(call_.v, shape(), call_.capacity, unit_) + static_cast<std::size_t>(key) * shape().head_dim;
  }

  /// Keys that row `r` sees.
  KeyRange visible(int r) const { return visible_keys(shape(), unit_.first_query + r % unit_.n_queries); }

  /// Keys that at least one row sees.
  KeyRange visible() const {
    return {visible_keys(shape(), unit_.first_query).begin, visible_keys(shape(), unit_.end_query() - 1).end};
  }

  bool all_see(KeyRange keys) const {
    return visible_keys(shape(), unit_.end_query() - 1).begin <= keys.begin &&
           keys.end <= visible_keys(shape(), unit_.first_query).end;
  }

  /// Bounds of the block that starts at row `first`; rows beyond the last one see nothing.
  KeyBounds bounds(int first) const {
    KeyBounds bounds{};
    for (int r = 0; r < std::min(kQueryBlock, size() - first); ++r) {
      const KeyRange keys = visible(first + r);
      bounds.begins[r] = keys.begin;
      bounds.ends[r] = keys.end;
    }
    return bounds;
  }

 private:
  std::size_t token(int r) const {
    return static_cast<std::size_t>(unit_.sequence) * shape().q_len + unit_.first_query + r % unit_.n_queries;
  }
  int head(int r) const { return unit_.kv_head * group_size(shape()) + first_member_ + r / unit_.n_queries; }

  const AttentionCall<T>& call_;
  AttentionUnit unit_;
  int first_member_;
  int n_members_;
};

/// What queries are multiplied with: their scale and, unless softcap comes in between, the change to units of log2 e.
inline float query_factor(const ScoreRule& rule) {
  return rule.softcap > 0.0f ? rule.scale : rule.scale * kLog2E;
}

}  // namespace dachlast::kernels::cpu
