#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/dtype.h"
#include "core/model/tensor_names.h"

namespace dachlast {

/// Copies a stored matrix into memory, converting its elements.
/// Shapes   to [rows, columns]; from the same, or [columns, rows] where `layout` is kTransposed. `from` may lie at any
///          address, `to` is aligned for its type.
struct ConvertJob {
  std::span<const std::byte> from;
  DType from_dtype;  // f32, f16 or bf16
  std::span<std::byte> to;
  DType to_dtype;  // f32 or bf16
  std::int64_t rows;
  std::int64_t columns;
  PartLayout layout;
};

/// Rows [first, first + n) of a stored matrix of `job.rows` rows, as floats; `job.to` and its type are not read.
void read_rows(const ConvertJob& job, std::int64_t first, std::int64_t n, std::span<float> out);

/// Widening is exact; narrowing to bf16 rounds to nearest even.
void convert(const ConvertJob& job);

}  // namespace dachlast
