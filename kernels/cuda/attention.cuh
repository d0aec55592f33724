#pragma once

#include <bit>

#include "kernels/cuda/attention_device.h"
#include "kernels/cuda/launch.cuh"

// What all attention kernels read a cache with.
namespace dachlast::kernels::cuda {

inline constexpr float kLog2E = 1.44269504f;
inline constexpr int kChunk = 8;  // elements that are loaded together: 16 bytes of a 16-bit format

/// Rows of keys, or of values.
struct CacheSide {
  const std::uint8_t* rows;
  const ScaleWord* scales;
  int width;
  int row_bytes;
  int row_scales;
  int whole_chunks;  // 1 where rows are chunks that may each be loaded as one or two words
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

inline CacheSide side_of(KvFormat format, std::span<const std::byte> rows, std::span<const ScaleWord> scales,
                         int width) {
  const auto address = reinterpret_cast<std::uintptr_t>(rows.data());
  return {reinterpret_cast<const std::uint8_t*>(rows.data()),
          scales.data(),
          width,
          static_cast<int>(row_bytes(format, width)),
          static_cast<int>(row_scales(format, width)),
          width % kChunk == 0 && address % 16 == 0 ? 1 : 0};
}

inline AttentionArguments arguments_of(const CudaAttentionCall& call, const CacheCut& cut, std::span<float> states) {
  const KvLayout& l = call.pool.layout;
  AttentionArguments a{};
  a.keys = side_of(l.format, call.pool.k, call.pool.k_scales, l.head_dim);
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

/// Index of a position's row over blocks, heads and rows.
__device__ inline std::int64_t row_index(const AttentionArguments& a, const CudaSequence& s, int kv_head,
                                         int position) {
  const int slot = a.ring.slot_of(position);
  const std::int64_t block = a.blocks[s.first_block + slot / a.block_size];
  return (block * a.n_kv_heads + kv_head) * a.block_size + slot % a.block_size;
}

// ---- elements

__device__ inline float fp8_to_float(std::uint8_t code) {
  return __half2float(__half(__nv_cvt_fp8_to_halfraw(code, __NV_E4M3)));
}

__device__ inline float int4_to_float(ScaleWord word, int code) {
  const float step = to_float(BF16{static_cast<std::uint16_t>(word)});
  return static_cast<float>(code) * step + to_float(BF16{static_cast<std::uint16_t>(word >> 16)});
}

/// One element, in any format.
__device__ inline float element_at(KvFormat format, const std::uint8_t* row, const ScaleWord* scales, int i) {
  switch (format) {
    case KvFormat::kF32: return reinterpret_cast<const float*>(row)[i];
    case KvFormat::kBF16: return to_float(reinterpret_cast<const BF16*>(row)[i]);
    case KvFormat::kF16: return __half2float(reinterpret_cast<const __half*>(row)[i]);
    case KvFormat::kInt8: return static_cast<float>(static_cast<std::int8_t>(row[i])) * std::bit_cast<float>(*scales);
    case KvFormat::kFp8: return fp8_to_float(row[i]) * std::bit_cast<float>(*scales);
    case KvFormat::kInt4: break;
  }
  constexpr int kHalf = kInt4Group / 2;
  const int within = i % kInt4Group, byte = row[i / kInt4Group * kHalf + within % kHalf];
  return int4_to_float(scales[i / kInt4Group], within < kHalf ? byte & 15 : byte >> 4);
}

__device__ inline void spread_bytes(const uint2& words, std::uint8_t (&bytes)[kChunk]) {
  for (int i = 0; i < 4; ++i) {
    bytes[i] = static_cast<std::uint8_t>(words.x >> (8 * i));
    bytes[4 + i] = static_cast<std::uint8_t>(words.y >> (8 * i));
  }
}

__device__ inline void load_f32(const std::uint8_t* row, int first, float (&x)[kChunk]) {
  const float4* const at = reinterpret_cast<const float4*>(row + first * 4);
  const float4 low = at[0], high = at[1];
  x[0] = low.x, x[1] = low.y, x[2] = low.z, x[3] = low.w;
  x[4] = high.x, x[5] = high.y, x[6] = high.z, x[7] = high.w;
}

__device__ inline void load_halves(KvFormat format, const std::uint8_t* row, int first, float (&x)[kChunk]) {
  const uint4 at = *reinterpret_cast<const uint4*>(row + first * 2);
  const std::uint32_t words[] = {at.x, at.y, at.z, at.w};
  for (int i = 0; i < kChunk; ++i) {
    const auto bits = static_cast<std::uint16_t>(words[i / 2] >> (16 * (i % 2)));
    x[i] = format == KvFormat::kBF16 ? to_float(BF16{bits}) : __half2float(std::bit_cast<__half>(bits));
  }
}

__device__ inline void load_codes(KvFormat format, const std::uint8_t* row, const ScaleWord* scales, int first,
                                  float (&x)[kChunk]) {
  std::uint8_t bytes[kChunk];
  spread_bytes(*reinterpret_cast<const uint2*>(row + first), bytes);
  const float scale = std::bit_cast<float>(*scales);
  for (int i = 0; i < kChunk; ++i)
    x[i] = scale *
           (format == KvFormat::kFp8 ? fp8_to_float(bytes[i]) : static_cast<float>(static_cast<std::int8_t>(bytes[i])));
}

__device__ inline void load_int4(const std::uint8_t* row, const ScaleWord* scales, int first, float (&x)[kChunk]) {
  constexpr int kHalf = kInt4Group / 2;
  const int group = first / kInt4Group, within = first % kInt4Group;
  std::uint8_t bytes[kChunk];
  spread_bytes(*reinterpret_cast<const uint2*>(row + group * kHalf + within % kHalf), bytes);
  for (int i = 0; i < kChunk; ++i) x[i] = int4_to_float(scales[group], within < kHalf ? bytes[i] & 15 : bytes[i] >> 4);
}

/// Elements `first` … first + 7 of a row as floats, where rows are whole chunks.
__device__ inline void load_chunk(const CacheSide& side, KvFormat format, std::int64_t row_number, int first,
                                  float (&x)[kChunk]) {
  const std::uint8_t* const row = side.rows + row_number * side.row_bytes;
  const ScaleWord* const scales = side.scales + row_number * side.row_scales;
  switch (format) {
    case KvFormat::kF32: return load_f32(row, first, x);
    case KvFormat::kBF16:
    case KvFormat::kF16: return load_halves(format, row, first, x);
    case KvFormat::kInt8:
    case KvFormat::kFp8: return load_codes(format, row, scales, first, x);
    case KvFormat::kInt4: return load_int4(row, scales, first, x);
  }
}

/// What a block loads of the cache: slots [range) of one KV head that any of its queries sees.
struct TileSource {
  const AttentionArguments& a;
  const CudaSequence& s;
  int kv_head;
  SlotRange range;
  int window_begin;  // of the first query

  __device__ bool holds(int slot) const { return slot < range.end && (slot >= window_begin || slot < a.mask.n_sinks); }
  /// Whether there is anything to load from `first` on; the same for the whole block.
  __device__ bool skips(int first, int n) const { return first + n <= window_begin && first >= a.mask.n_sinks; }
};

/// One element of a row of `side`.
__device__ inline float cached_element(const CacheSide& side, KvFormat format, std::int64_t row_number, int i) {
  return element_at(format, side.rows + row_number * side.row_bytes, side.scales + row_number * side.row_scales, i);
}

/// Fills tile [kKeys, kStride] with rows first … of `side`, zeros where there are none: by chunks, or by elements where
/// rows are no whole chunks.
template <int kThreads, int kKeys, int kWidth, int kStride, class Element>
__device__ inline void load_tile(const TileSource& source, const CacheSide& side, int first, Element* tile) {
  const KvFormat format = source.a.format;
  if (side.whole_chunks == 0) {
    for (int i = static_cast<int>(threadIdx.x); i < kKeys * kWidth; i += kThreads) {
      const int key = i / kWidth, column = i % kWidth;
      const bool exists = column < side.width && source.holds(first + key);
      tile[key * kStride + column] = Element(
          exists ? cached_element(side, format, row_index(source.a, source.s, source.kv_head, first + key), column)
                 : 0.0f);
    }
    return;
  }
  constexpr int kRowChunks = kWidth / kChunk;
  for (int i = static_cast<int>(threadIdx.x); i < kKeys * kRowChunks; i += kThreads) {
    const int key = i / kRowChunks, column = i % kRowChunks * kChunk;
    float x[kChunk] = {};
    if (column < side.width && source.holds(first + key))
      load_chunk(side, format, row_index(source.a, source.s, source.kv_head, first + key), column, x);
    for (int j = 0; j < kChunk; ++j) tile[key * kStride + column + j] = Element(x[j]);
  }
}

}  // namespace dachlast::kernels::cuda
