#pragma once

#include <span>

#include "kernels/kv_view.h"

namespace dachlast::kernels::cpu {

/// Writes one row of a cache with scales per token, or without scales: codes to `out`, `row_bytes` long, and `row_scales`
/// words to `scales`.
/// Numbers  a NaN or infinity makes all that shares its scale read as NaN.
using QuantizeRow = void(KvFormat format, std::span<const float> row, std::byte* out, ScaleWord* scales);

/// The same bits on every instruction set, NaNs aside.
QuantizeRow quantize_row;

/// 32 elements or fewer that share a word.
void quantize_int4_group(std::span<const float> group, std::byte* out, ScaleWord& word);

/// One element after the other, in plain C++.
QuantizeRow quantize_row_reference;

}  // namespace dachlast::kernels::cpu
