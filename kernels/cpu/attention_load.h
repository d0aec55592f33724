#pragma once

#include <algorithm>
#include <cstring>

#include "kernels/cpu/attention_rows.h"

// Keys and values of a tile as floats: where they lie if they lie together as floats, else expanded into a buffer.
namespace dachlast::kernels::cpu {

struct FloatRows {
  const float* rows;
  int stride;
};

/// Such rows are copied in one piece: of small blocks, taking them row by row costs more than the bytes.
inline bool lie_together_as_floats(const KvRows& rows, int width) {
  return rows.format == KvFormat::kF32 && rows.width == width &&
         rows.stride_bytes == static_cast<std::size_t>(width) * sizeof(float);
}

/// Writes the rows of a part at `next`; returns where the next part goes.
inline float* append_rows(const KvRows& part, int width, float* next) {
  const std::size_t n_floats = static_cast<std::size_t>(part.n_rows) * static_cast<std::size_t>(width);
  if (lie_together_as_floats(part, width)) {
    std::memcpy(next, part.rows, n_floats * sizeof(float));
    return next + n_floats;
  }
  expand_rows(part, next, width);
  if (part.width < width)
    for (int r = 0; r < part.n_rows; ++r) std::fill(next + r * width + part.width, next + (r + 1) * width, 0.0f);
  return next + n_floats;
}

/// `read` is key_rows or value_rows; `width` the columns of a row in `buffer`, of which those behind the stored ones
/// become 0.
template <class Read>
FloatRows float_rows(const Read& read, const GroupRows& rows, SlotRange slots, int width, float* buffer) {
  const AttentionUnit& unit = rows.unit();
  float* next = buffer;
  for (int slot = slots.begin; slot < slots.end;) {
    const KvRows part = read(rows.call().kv.pool, *unit.sequence, unit.kv_head, slot, slots.end);
    if (part.format == KvFormat::kF32 && part.n_rows == slots.end - slots.begin && part.width == width)
      return {reinterpret_cast<const float*>(part.rows), static_cast<int>(part.stride_bytes / sizeof(float))};
    next = append_rows(part, width, next);
    slot += part.n_rows;
  }
  return {buffer, width};
}

}  // namespace dachlast::kernels::cpu
