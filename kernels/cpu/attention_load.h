#pragma once

#include <algorithm>

#include "kernels/cpu/attention_rows.h"

// Keys and values of a tile as floats: where they lie if they lie together as floats, else expanded into a buffer.
namespace dachlast::kernels::cpu {

struct FloatRows {
  const float* rows;
  int stride;
};

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
    expand_rows(part, next, width);
    for (int r = 0; r < part.n_rows; ++r, next += width) std::fill(next + part.width, next + width, 0.0f);
    slot += part.n_rows;
  }
  return {buffer, width};
}

}  // namespace dachlast::kernels::cpu
