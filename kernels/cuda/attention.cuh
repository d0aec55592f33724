#pragma once

#include "kernels/cuda/attention_device.h"
#include "kernels/cuda/launch.cuh"

// What all attention kernels are told, and who sees what.
namespace dachlast::kernels::cuda {

inline constexpr float kLog2E = 1.44269504f;
inline constexpr int kChunk = 8;  // elements of a cache that are loaded together: 16 bytes of a 16-bit format

/// Rows of keys, or of values.
struct CacheSide {
  const std::uint8_t* rows;
  const ScaleWord* scales;
  int width;
  int row_bytes;
  int row_scales;
  int whole_chunks;   // 1 where rows are chunks that may each be loaded as one or two words
  const BF16* tails;  // keys whose blocks are not full; null: scales per token
  int channels;       // words of a block's scales along them, and elements of such a key
};

/// AttentionCall as the kernels take it, by value.
struct AttentionArguments {
  CacheSide keys;
  CacheSide values;
  KvFormat format;
  int n_kv_heads;
  int block_size;
  int n_heads;
  int group;  // query heads of a KV head
  ScoreRule rule;
  MaskRule mask;
  const float* q;
  int q_stride;
  const CudaSequence* sequences;
  const std::int32_t* blocks;
  float* out;
  float* states;  // [n_splits, n_rows · n_heads, value_dim + 2]; null: one split, straight to `out`
  int n_rows;
  int stretch;
  RingRule ring;
};

inline bool is_aligned(const void* at) {
  return reinterpret_cast<std::uintptr_t>(at) % 16 == 0;
}

inline CacheSide side_of(KvFormat format, std::span<const std::byte> rows, std::span<const ScaleWord> scales,
                         int width) {
  return {reinterpret_cast<const std::uint8_t*>(rows.data()),
          scales.data(),
          width,
          static_cast<int>(row_bytes(format, width)),
          static_cast<int>(row_scales(format, width)),
          width % kChunk == 0 && is_aligned(rows.data()) ? 1 : 0,
          nullptr,
          0};
}

/// Keys whose scales run along channels.
inline CacheSide channel_side(CacheSide side, std::span<const BF16> tails) {
  side.tails = tails.data();
  side.channels = side.width;
  if (!is_aligned(side.scales) || !is_aligned(side.tails)) side.whole_chunks = 0;
  return side;
}

inline AttentionArguments arguments_of(const CudaAttentionCall& call, const CacheCut& cut, std::span<float> states) {
  const KvLayout& l = call.pool.layout;
  AttentionArguments a{};
  a.keys = side_of(l.format, call.pool.k, call.pool.k_scales, l.head_dim);
  if (has_channel_scales(l)) a.keys = channel_side(a.keys, call.tails);
  a.values = a.keys;
  if (l.values == KvValues::kOwnRows) a.values = side_of(l.format, call.pool.v, call.pool.v_scales, l.value_dim);
  a.values.width = l.value_dim;
  a.format = l.format;
  a.n_kv_heads = l.n_kv_heads;
  a.block_size = l.block_size;
  a.n_heads = call.n_heads;
  a.group = call.n_heads / l.n_kv_heads;
  a.rule = call.rule;
  a.mask = call.mask;
  a.q = call.q.data();
  a.q_stride = call.q_stride;
  a.sequences = call.sequences.data();
  a.blocks = call.blocks.data();
  a.out = call.out.data();
  a.states = cut.n_splits > 1 ? states.data() : nullptr;
  a.n_rows = n_rows(call);
  a.stretch = cut.stretch;
  a.ring = call.ring;
  return a;
}

/// Half-open.
struct SlotRange {
  int begin;
  int end;
};

/// First slot that a query at `position` sees through its window; sinks lie before it.
__device__ inline int window_begin(const AttentionArguments& a, int position) {
  return a.mask.window == 0 ? 0 : max(0, position + 1 - a.mask.window);
}
__device__ inline bool sees(const AttentionArguments& a, int position, int slot) {
  return slot <= position && (slot >= window_begin(a, position) || slot < a.mask.n_sinks);
}

/// Slots that queries at positions `first` … `last` may see, holes between sinks and window included.
__device__ inline SlotRange visible_slots(const AttentionArguments& a, const CudaSequence& s, int first, int last) {
  return {a.mask.n_sinks > 0 ? 0 : window_begin(a, first), min(s.kv_len, last + 1)};
}
/// The step's part of a sequence's cache that a split attends to; empty behind the last one.
__device__ inline SlotRange split_of(const AttentionArguments& a, const CudaSequence& s, int split) {
  const SlotRange all = visible_slots(a, s, s.first_position, s.first_position + s.q_len - 1);
  const int begin = min(all.begin + split * a.stretch, all.end);
  return {begin, min(begin + a.stretch, all.end)};
}
__device__ inline int n_splits_of(const AttentionArguments& a, const CudaSequence& s) {
  const SlotRange all = visible_slots(a, s, s.first_position, s.first_position + s.q_len - 1);
  return (all.end - all.begin + a.stretch - 1) / a.stretch;
}

/// A row of the work of one KV head: a query and a query head.
struct QueryRow {
  int query;
  int head;
  int position;  // −1: a row beyond the last one, which sees nothing
};
__device__ inline QueryRow query_row(const AttentionArguments& a, const CudaSequence& s, int kv_head, int row) {
  const int query = row / a.group;
  return {query, kv_head * a.group + row % a.group, query < s.q_len ? s.first_position + query : -1};
}
__device__ inline const float* q_of(const AttentionArguments& a, const CudaSequence& s, const QueryRow& row,
                                    int head_dim) {
  return a.q + static_cast<std::int64_t>(s.first_row + row.query) * a.q_stride +
         static_cast<std::int64_t>(row.head) * head_dim;
}
/// Row of `out`, and of each split's states.
__device__ inline std::int64_t out_row(const AttentionArguments& a, const CudaSequence& s, const QueryRow& row) {
  return static_cast<std::int64_t>(s.first_row + row.query) * a.n_heads + row.head;
}
__device__ inline float* state_of(const AttentionArguments& a, int split, std::int64_t row) {
  return a.states + (static_cast<std::int64_t>(split) * a.n_rows * a.n_heads + row) * (a.values.width + 2);
}

__device__ inline float capped(const AttentionArguments& a, float score) {
  return a.rule.softcap > 0.0f ? a.rule.softcap * tanhf(score / a.rule.softcap) : score;
}

}  // namespace dachlast::kernels::cuda
