#pragma once

#include <cstddef>

#include "kernels/attention.h"

// How attention is cut into units.
namespace dachlast::kernels::cpu {

/// Query rows (queries · heads of the group) of a unit: packing a tile of K and V costs about 1/4 cycle an element,
/// which 384 rows at 1/32 cycle an element and row make a fiftieth; their sums of 128 floats are 192 KiB, which stay in
/// L2 beside the packed tile.
inline constexpr int kUnitRows = 384;

/// Queries of a sequence up to which its cache is cut into stretches.
inline constexpr int kMostSplitQueries = 4;

/// Slots of a stretch at least: 1,024 rows of 128 bfloat16 are 256 KiB, 15 µs to read at 20 GB/s, to merge one more
/// partial result costs 0.1 µs a row.
inline constexpr int kLeastStretch = 1024;

/// Stretches of all KV heads of a sequence together: enough for 64 threads, few enough that partial results stay small.
inline constexpr int kMostStretches = 64;

/// Half-open range of slots.
struct SlotRange {
  int begin;
  int end;
};

struct AttentionUnit {
  const KvSequence* sequence;
  int kv_head;
  int first_query;
  int n_queries;
  SlotRange slots;    // all that any of its queries may see, or a stretch of them
  int n_splits;       // 1: the unit writes `out`
  std::size_t state;  // else its first partial result in `states`

  int end_query() const { return first_query + n_queries; }
};

inline int group_size(const AttentionCall& call) {
  return call.n_heads / call.kv.pool.layout.n_kv_heads;
}

constexpr int ceil_div(int n, int size) {
  return (n + size - 1) / size;
}

constexpr int tile_queries(int group) {
  return group < kUnitRows ? kUnitRows / group : 1;
}

/// Floats of one partial result: o, m, d.
constexpr std::size_t state_width(int value_dim) {
  return static_cast<std::size_t>(value_dim) + 2;
}

/// How one sequence is cut.
struct SequenceCut {
  int n_tiles;
  int n_splits;
  int stretch;  // slots

  int units_per_head() const { return n_tiles * n_splits; }
};

constexpr SequenceCut cut_of(int q_len, int kv_len, int n_kv_heads, int group) {
  if (q_len > kMostSplitQueries || q_len > tile_queries(group))
    return {ceil_div(q_len, tile_queries(group)), 1, kv_len};
  const int most = kMostStretches > n_kv_heads ? kMostStretches / n_kv_heads : 1;
  const int wanted = ceil_div(kv_len, kLeastStretch) < most ? ceil_div(kv_len, kLeastStretch) : most;
  if (wanted <= 1) return {1, 1, kv_len};
  constexpr int kWholeTiles = 128;  // a stretch ends where a tile of keys does
  const int stretch = ceil_div(ceil_div(kv_len, wanted), kWholeTiles) * kWholeTiles;
  return {1, ceil_div(kv_len, stretch), stretch};
}

inline SequenceCut cut_of(const AttentionCall& call, const KvSequence& sequence) {
  if (sequence.q_len == 0) return {0, 1, 0};
  return cut_of(sequence.q_len, sequence.kv_len, call.kv.pool.layout.n_kv_heads, group_size(call));
}

/// Rows of `out` that a sequence merges from partial results.
inline int merged_rows(const AttentionCall& call, const KvSequence& sequence) {
  return cut_of(call, sequence).n_splits > 1 ? sequence.q_len * call.n_heads : 0;
}

/// Walks over the units of a slice.
class UnitWalk {
 public:
  UnitWalk(const AttentionCall& call, Slice units);

  bool done() const { return left_ == 0; }
  AttentionUnit unit() const;
  void next();

 private:
  void enter_sequence();
  const KvSequence& sequence() const { return call_.kv.sequences[sequence_]; }

  const AttentionCall& call_;
  int left_;
  std::size_t sequence_ = 0;
  std::size_t state_ = 0;  // of the sequence's first partial result
  int within_ = 0;         // unit in the sequence; query tile or stretch fastest
  SequenceCut cut_{};
};

}  // namespace dachlast::kernels::cpu
