#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/kv_view.h"

// Where the rows of one KV head lie, and what they say.
namespace dachlast::kernels::cpu {

enum class ScaleAxis : std::uint8_t { kNone, kToken, kChannel };

/// Consecutive rows of one KV head in one block, stored alike.
struct KvRows {
  const std::byte* rows;
  const ScaleWord* scales;  // of the first row; kChannel: of all rows
  int n_rows;
  int width;
  std::size_t stride_bytes;
  KvFormat format;
  ScaleAxis axis;
};

/// Keys of slots first_slot … of `sequence`, as many as lie together: up to `end_slot` or the end of their block.
KvRows key_rows(const KvPool& pool, const KvSequence& sequence, int kv_head, int first_slot, int end_slot);
KvRows value_rows(const KvPool& pool, const KvSequence& sequence, int kv_head, int first_slot, int end_slot);

/// Rows as floats, `stride` apart in `out`. Exact but for one rounding per scaled element (int4: two).
void expand_rows(const KvRows& rows, float* out, int stride);

/// The same, one element at a time and in plain C++: what tests and the reference hold against.
float element_of(const KvRows& rows, int row, int column);

}  // namespace dachlast::kernels::cpu
