#include "kernels/cpu/kv_rows.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "kernels/cpu/kv_codes.h"

namespace dachlast::kernels::cpu {
namespace {

template <class T>
T stored(const std::byte* row, int column) {
  T value;
  std::memcpy(&value, row + static_cast<std::size_t>(column) * sizeof(T), sizeof(T));
  return value;
}

/// Head of a block and the row in it.
struct Place {
  std::size_t head;  // index over blocks and heads
  int row;
  int n_rows;
};

Place place_of(const KvLayout& layout, const KvSequence& sequence, int kv_head, int first_slot, int end_slot) {
  assert(first_slot < end_slot && end_slot <= sequence.kv_len);
  const int row = first_slot % layout.block_size;
  const std::int32_t block = sequence.blocks[static_cast<std::size_t>(first_slot / layout.block_size)];
  return {
      static_cast<std::size_t>(block) * static_cast<std::size_t>(layout.n_kv_heads) + static_cast<std::size_t>(kv_head),
      row, std::min(layout.block_size - row, end_slot - first_slot)};
}

KvRows tail_rows(const KvLayout& layout, const KvSequence& sequence, int kv_head, const Place& place) {
  const auto row = static_cast<std::size_t>(kv_head) * static_cast<std::size_t>(layout.block_size) +
                   static_cast<std::size_t>(place.row);
  const auto width = static_cast<std::size_t>(layout.head_dim);
  return {std::as_bytes(sequence.tail.subspan(row * width)).data(),
          nullptr,
          place.n_rows,
          layout.head_dim,
          width * sizeof(BF16),
          KvFormat::kBF16,
          ScaleAxis::kNone};
}

/// Slots behind the last complete block.
bool in_tail(const KvLayout& layout, const KvSequence& sequence, int slot) {
  return has_channel_scales(layout) && slot >= sequence.kv_len / layout.block_size * layout.block_size;
}

const ScaleWord* scales_at(std::span<const ScaleWord> scales, std::size_t first) {
  return scales.empty() ? nullptr : scales.data() + first;
}

}  // namespace

KvRows key_rows(const KvPool& pool, const KvSequence& sequence, int kv_head, int first_slot, int end_slot) {
  const KvLayout& layout = pool.layout;
  const Place place = place_of(layout, sequence, kv_head, first_slot, end_slot);
  if (in_tail(layout, sequence, first_slot)) return tail_rows(layout, sequence, kv_head, place);
  const std::size_t stride = row_bytes(layout.format, layout.head_dim);
  const bool by_channel = has_channel_scales(layout);
  const std::size_t skipped_scales =
      by_channel ? 0 : static_cast<std::size_t>(place.row) * row_scales(layout.format, layout.head_dim);
  return {pool.k.data() + place.head * head_key_bytes(layout) + static_cast<std::size_t>(place.row) * stride,
          scales_at(pool.k_scales, place.head * head_key_scales(layout) + skipped_scales),
          place.n_rows,
          layout.head_dim,
          stride,
          layout.format,
          !has_scales(layout.format) ? ScaleAxis::kNone
          : by_channel               ? ScaleAxis::kChannel
                                     : ScaleAxis::kToken};
}

KvRows value_rows(const KvPool& pool, const KvSequence& sequence, int kv_head, int first_slot, int end_slot) {
  const KvLayout& layout = pool.layout;
  if (layout.values == KvValues::kInKeys) {
    KvRows rows = key_rows(pool, sequence, kv_head, first_slot, end_slot);
    rows.width = layout.value_dim;
    return rows;
  }
  const Place place = place_of(layout, sequence, kv_head, first_slot, end_slot);
  const std::size_t stride = row_bytes(layout.format, layout.value_dim);
  const auto row = static_cast<std::size_t>(place.row);
  return {pool.v.data() + place.head * head_value_bytes(layout) + row * stride,
          scales_at(pool.v_scales,
                    place.head * head_value_scales(layout) + row * row_scales(layout.format, layout.value_dim)),
          place.n_rows,
          layout.value_dim,
          stride,
          layout.format,
          has_scales(layout.format) ? ScaleAxis::kToken : ScaleAxis::kNone};
}

float element_of(const KvRows& rows, int row, int column) {
  const std::byte* data = rows.rows + static_cast<std::size_t>(row) * rows.stride_bytes;
  const auto scale = [&](int per_row, int within) {
    return rows.scales[rows.axis == ScaleAxis::kChannel ? column : row * per_row + within];
  };
  switch (rows.format) {
    case KvFormat::kF32: return stored<float>(data, column);
    case KvFormat::kBF16: return to_float(stored<BF16>(data, column));
    case KvFormat::kF16: return to_float(stored<F16>(data, column));
    case KvFormat::kInt8: return stored<std::int8_t>(data, column) * std::bit_cast<float>(scale(1, 0));
    case KvFormat::kFp8: return fp8_to_float(stored<std::uint8_t>(data, column)) * std::bit_cast<float>(scale(1, 0));
    case KvFormat::kInt4: break;
  }
  // Scale words of a row are counted over its stored groups, of which an MLA value row reads the first ones only.
  const int n_groups = static_cast<int>(rows.stride_bytes / (kInt4Group / 2));
  const Int4Scale parts = int4_scale(scale(n_groups, column / kInt4Group));
  const Int4Place place = int4_place(column);
  const int code = static_cast<int>(data[place.byte]) >> place.shift & 0xf;
  return static_cast<float>(code) * parts.step + parts.low;
}

}  // namespace dachlast::kernels::cpu
