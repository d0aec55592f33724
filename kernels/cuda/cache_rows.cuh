#pragma once

#include <bit>

#include "kernels/cuda/attention.cuh"

// How attention kernels read rows of a cache: by elements, by chunks, by tiles.
namespace dachlast::kernels::cuda {

// ---- elements

__device__ inline float fp8_to_float(std::uint8_t code) {
  return __half2float(__half(__nv_cvt_fp8_to_halfraw(code, __NV_E4M3)));
}

__device__ inline float int4_to_float(ScaleWord word, int code) {
  const float step = to_float(BF16{static_cast<std::uint16_t>(word)});
  return static_cast<float>(code) * step + to_float(BF16{static_cast<std::uint16_t>(word >> 16)});
}

/// One element, in any format; `scale` is its own.
__device__ inline float element_at(KvFormat format, const std::uint8_t* row, const ScaleWord* scale, int i) {
  switch (format) {
    case KvFormat::kF32: return reinterpret_cast<const float*>(row)[i];
    case KvFormat::kBF16: return to_float(reinterpret_cast<const BF16*>(row)[i]);
    case KvFormat::kF16: return __half2float(reinterpret_cast<const __half*>(row)[i]);
    case KvFormat::kInt8: return static_cast<float>(static_cast<std::int8_t>(row[i])) * std::bit_cast<float>(*scale);
    case KvFormat::kFp8: return fp8_to_float(row[i]) * std::bit_cast<float>(*scale);
    case KvFormat::kInt4: break;
  }
  constexpr int kHalf = kInt4Group / 2;
  const int within = i % kInt4Group, byte = row[i / kInt4Group * kHalf + within % kHalf];
  return int4_to_float(*scale, within < kHalf ? byte & 15 : byte >> 4);
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

/// The code of an element of fp8 or int8 as a number.
__device__ inline float code_to_float(KvFormat format, std::uint8_t code) {
  return format == KvFormat::kFp8 ? fp8_to_float(code) : static_cast<float>(static_cast<std::int8_t>(code));
}

__device__ inline void load_codes(KvFormat format, const std::uint8_t* row, const ScaleWord* scales, int first,
                                  float (&x)[kChunk]) {
  std::uint8_t bytes[kChunk];
  spread_bytes(*reinterpret_cast<const uint2*>(row + first), bytes);
  const float scale = std::bit_cast<float>(*scales);
  for (int i = 0; i < kChunk; ++i) x[i] = scale * code_to_float(format, bytes[i]);
}

/// Codes of a chunk of int4.
__device__ inline void spread_int4(const std::uint8_t* row, int first, std::uint8_t (&codes)[kChunk]) {
  constexpr int kHalf = kInt4Group / 2;
  const int group = first / kInt4Group, within = first % kInt4Group;
  spread_bytes(*reinterpret_cast<const uint2*>(row + group * kHalf + within % kHalf), codes);
  for (int i = 0; i < kChunk; ++i) codes[i] = static_cast<std::uint8_t>(within < kHalf ? codes[i] & 15 : codes[i] >> 4);
}

__device__ inline void load_int4(const std::uint8_t* row, const ScaleWord* scales, int first, float (&x)[kChunk]) {
  std::uint8_t codes[kChunk];
  spread_int4(row, first, codes);
  for (int i = 0; i < kChunk; ++i) x[i] = int4_to_float(scales[first / kInt4Group], codes[i]);
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

// ---- keys with scales along channels

/// The key of a slot whose block is not full, else null.
__device__ inline const BF16* waiting_key(const AttentionArguments& a, const CacheSide& side, const CudaSequence& s,
                                          int kv_head, int slot) {
  const int row = slot % a.block_size;
  if (slot - row + a.block_size <= s.kv_len) return nullptr;
  const std::int64_t head = static_cast<std::int64_t>(s.place) * a.n_kv_heads + kv_head;
  return side.tails + (head * a.block_size + row) * side.channels;
}

/// As load_chunk, of a full block; `scales` are those of the chunk's channels.
__device__ inline void load_channel_chunk(KvFormat format, const std::uint8_t* row, const ScaleWord* scales, int first,
                                          float (&x)[kChunk]) {
  const uint4 low = reinterpret_cast<const uint4*>(scales)[0], high = reinterpret_cast<const uint4*>(scales)[1];
  const ScaleWord words[] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
  std::uint8_t codes[kChunk];
  if (format == KvFormat::kInt4)
    spread_int4(row, first, codes);
  else
    spread_bytes(*reinterpret_cast<const uint2*>(row + first), codes);
  for (int i = 0; i < kChunk; ++i)
    x[i] = format == KvFormat::kInt4 ? int4_to_float(words[i], codes[i])
                                     : std::bit_cast<float>(words[i]) * code_to_float(format, codes[i]);
}

// ---- a side of the cache by positions

/// Index of a slot's KV head over blocks and heads.
__device__ inline std::int64_t head_index(const AttentionArguments& a, const CudaSequence& s, int kv_head, int slot) {
  const std::int64_t block = a.blocks[s.first_block + slot / a.block_size];
  return block * a.n_kv_heads + kv_head;
}
/// Where an element's position lies: rings and scales along channels exclude each other.
struct CachedRow {
  std::int64_t head;  // over blocks and heads
  std::int64_t row;   // over blocks, heads and rows
};

__device__ inline CachedRow cached_row(const AttentionArguments& a, const CudaSequence& s, int kv_head, int position) {
  const int slot = a.ring.slot_of(position);
  const std::int64_t head = head_index(a, s, kv_head, slot);
  return {head, head * a.block_size + slot % a.block_size};
}

/// One element of the row of a position.
__device__ inline float cached_element(const AttentionArguments& a, const CacheSide& side, const CudaSequence& s,
                                       int kv_head, int position, int i) {
  if (side.tails != nullptr)
    if (const BF16* const key = waiting_key(a, side, s, kv_head, position)) return to_float(key[i]);
  const CachedRow at = cached_row(a, s, kv_head, position);
  // Of int4 every 32 elements have a scale, of int8 and fp8 all share one.
  const ScaleWord* const scale = side.tails != nullptr
                                     ? side.scales + at.head * side.channels + i
                                     : side.scales + at.row * side.row_scales + i / kInt4Group * (side.row_scales > 1);
  return element_at(a.format, side.rows + at.row * side.row_bytes, scale, i);
}

/// Elements `first` … first + 7 of the row of a position, where rows are whole chunks.
__device__ inline void cached_chunk(const AttentionArguments& a, const CacheSide& side, const CudaSequence& s,
                                    int kv_head, int position, int first, float (&x)[kChunk]) {
  if (side.tails != nullptr) {
    if (const BF16* const key = waiting_key(a, side, s, kv_head, position))
      return load_halves(KvFormat::kBF16, reinterpret_cast<const std::uint8_t*>(key), first, x);
    const CachedRow at = cached_row(a, s, kv_head, position);
    return load_channel_chunk(a.format, side.rows + at.row * side.row_bytes,
                              side.scales + at.head * side.channels + first, first, x);
  }
  load_chunk(side, a.format, cached_row(a, s, kv_head, position).row, first, x);
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

/// Fills tile [kKeys, kStride] with rows first … of `side`, zeros where there are none: by chunks, or by elements where
/// rows are no whole chunks.
template <int kThreads, int kKeys, int kWidth, int kStride, class Element>
__device__ inline void load_tile(const TileSource& source, const CacheSide& side, int first, Element* tile) {
  const AttentionArguments& a = source.a;
  if (side.whole_chunks == 0) {
    for (int i = static_cast<int>(threadIdx.x); i < kKeys * kWidth; i += kThreads) {
      const int key = i / kWidth, column = i % kWidth;
      const bool exists = column < side.width && source.holds(first + key);
      tile[key * kStride + column] =
          Element(exists ? cached_element(a, side, source.s, source.kv_head, first + key, column) : 0.0f);
    }
    return;
  }
  constexpr int kRowChunks = kWidth / kChunk;
  for (int i = static_cast<int>(threadIdx.x); i < kKeys * kRowChunks; i += kThreads) {
    const int key = i / kRowChunks, column = i % kRowChunks * kChunk;
    float x[kChunk] = {};
    if (column < side.width && source.holds(first + key))
      cached_chunk(a, side, source.s, source.kv_head, first + key, column, x);
    for (int j = 0; j < kChunk; ++j) tile[key * kStride + column + j] = Element(x[j]);
  }
}

}  // namespace dachlast::kernels::cuda
