#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/half.h"
#include "core/base/kv_format.h"

// What attention reads and `store_kv` writes: one layer of a KV cache as a pool of blocks. A contiguous cache is a pool
// with one block of `capacity` tokens per sequence, so that one family of kernels serves every kind of cache.
namespace dachlast::kernels {

/// How K and V are stored:
///   int8  symmetric: value = code · scale, code in −127 … 127, scale = largest / 127
///   int4  groups of 32 elements: value = code · step + low, code in 0 … 15
///   fp8   E4M3 without infinities: value = code · scale, scale = largest / 448
/// Source   fp8, Micikevicius et al. 2022, arXiv:2209.05433; why int4 has a zero of its own and int8 needs none, KIVI,
///          Liu et al. 2024, arXiv:2402.02750, table 2.
using dachlast::KeyScales;
using dachlast::KvFormat;

/// Where values lie. `kInKeys`: in the first `value_dim` elements of the key rows, as in a cache of latents (MLA,
/// DeepSeek-V2, arXiv:2405.04434, section 2.1: 512 latent and 64 RoPE elements a token).
enum class KvValues : std::uint8_t { kOwnRows, kInKeys };

/// Elements that share step and low in int4; half a cache line of 4-bit codes holds two groups.
inline constexpr int kInt4Group = 32;

/// Sizes of one layer's pool.
/// Shapes   k rows [n_blocks, n_kv_heads, block_size], v rows the same; row-major, rows without padding between them.
struct KvLayout {
  KvFormat format = KvFormat::kF32;
  KeyScales key_scales = KeyScales::kPerToken;
  KvValues values = KvValues::kOwnRows;
  int n_kv_heads = 0;
  int block_size = 0;  // tokens
  int head_dim = 0;    // width of a key row
  int value_dim = 0;   // width of a value row
};

/// Keys of complete blocks have their scales along channels.
constexpr bool has_channel_scales(const KvLayout& layout) {
  return has_scales(layout.format) && layout.key_scales == KeyScales::kPerChannel;
}

/// Bytes of a stored row. int4: 16 per group; byte i of a group holds element i in its low and 16 + i in its high half;
/// the last group is filled up.
constexpr std::size_t row_bytes(KvFormat format, int width) {
  const auto elements = static_cast<std::size_t>(width);
  switch (format) {
    case KvFormat::kF32: return 4 * elements;
    case KvFormat::kBF16:
    case KvFormat::kF16: return 2 * elements;
    case KvFormat::kInt8:
    case KvFormat::kFp8: return elements;
    case KvFormat::kInt4: return (elements + kInt4Group - 1) / kInt4Group * (kInt4Group / 2);
  }
  return 0;
}

/// Scales are words of 4 bytes. int8, fp8: a float. int4: `step` in the lower half, `low` in the upper, both bfloat16.
using ScaleWord = std::uint32_t;

/// Scale words of a row with scales per token: 1, or 1 per group.
constexpr std::size_t row_scales(KvFormat format, int width) {
  if (!has_scales(format)) return 0;
  return format == KvFormat::kInt4 ? static_cast<std::size_t>((width + kInt4Group - 1) / kInt4Group) : 1;
}

/// Scale words of the keys of one KV head in one block: [block_size, row_scales], or one per channel.
constexpr std::size_t head_key_scales(const KvLayout& layout) {
  if (has_channel_scales(layout)) return static_cast<std::size_t>(layout.head_dim);
  return static_cast<std::size_t>(layout.block_size) * row_scales(layout.format, layout.head_dim);
}
constexpr std::size_t head_value_scales(const KvLayout& layout) {
  if (layout.values == KvValues::kInKeys) return 0;
  return static_cast<std::size_t>(layout.block_size) * row_scales(layout.format, layout.value_dim);
}

/// Bytes of the key rows of one KV head in one block, scales not counted.
constexpr std::size_t head_key_bytes(const KvLayout& layout) {
  return static_cast<std::size_t>(layout.block_size) * row_bytes(layout.format, layout.head_dim);
}
constexpr std::size_t head_value_bytes(const KvLayout& layout) {
  if (layout.values == KvValues::kInKeys) return 0;
  return static_cast<std::size_t>(layout.block_size) * row_bytes(layout.format, layout.value_dim);
}

/// Everything a block of one layer takes, scales included.
constexpr std::size_t block_bytes(const KvLayout& layout) {
  const std::size_t head = head_key_bytes(layout) + head_value_bytes(layout) +
                           sizeof(ScaleWord) * (head_key_scales(layout) + head_value_scales(layout));
  return static_cast<std::size_t>(layout.n_kv_heads) * head;
}

/// Elements of the bf16 tail of one sequence and layer; 0 where keys do not wait: [n_kv_heads, block_size, head_dim].
constexpr std::size_t tail_elements(const KvLayout& layout) {
  if (!has_channel_scales(layout)) return 0;
  return static_cast<std::size_t>(layout.n_kv_heads) * static_cast<std::size_t>(layout.block_size) *
         static_cast<std::size_t>(layout.head_dim);
}

/// Memory of one layer's pool: `n_blocks` times what the functions above say per head, each span for itself. All slots of a
/// sequence hold finite numbers, the empty ones of a ring too: a key that is hidden gives its value a weight of 0, which a
/// NaN would survive. Pools are zeroed before their first use, and what a ring lets go of stays finite.
template <class Byte, class Word>
struct BasicKvPool {
  KvLayout layout;
  std::span<Byte> k;
  std::span<Byte> v;  // empty with KvValues::kInKeys
  std::span<Word> k_scales;
  std::span<Word> v_scales;
};
using KvPool = BasicKvPool<const std::byte, const ScaleWord>;
using MutableKvPool = BasicKvPool<std::byte, ScaleWord>;

/// What one sequence has in a pool, and its part of the current step. Slot s lies in block blocks[s / block_size], row
/// s % block_size. Query i of the step sits at position first_position + i and in row first_row + i of q and out; its
/// own key is in the cache already.
struct KvSequence {
  std::span<const std::int32_t> blocks;
  int kv_len = 0;                           // slots, the step's own included
  std::span<const std::int32_t> positions;  // of each slot, −1 for an empty one; no span: slot s holds position s
  std::span<const BF16> tail;               // keys of the slots behind the last complete block; channel scales only
  int q_len = 0;
  int first_position = 0;
  int first_row = 0;
};

/// One layer of a cache as a step sees it. Sequences may have different lengths.
struct KvView {
  KvPool pool;
  std::span<const KvSequence> sequences;
};

}  // namespace dachlast::kernels
