#pragma once

#include <cstdint>
#include <vector>

#include "core/base/dtype.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

/// What a slot holds of its role.
enum class WeightPart : std::uint8_t {
  kMatrix,     // [rows, columns]
  kNorm,       // vector of `rows` elements
  kBias,       // vector of `rows` elements
  kPositions,  // learned position table, under role kTokenEmbedding
};

/// One matrix or vector a model keeps, in the layout the op list asks for.
struct WeightSlot {
  WeightRole role;
  int layer;  // -1 outside the layers
  WeightPart part;
  std::int64_t rows;
  std::int64_t columns;  // 1 for vectors

  std::int64_t size() const { return rows * columns; }
};

/// Every slot of a model, embeddings first, then layer after layer, the head last. A tied head has no slot of its own.
std::vector<WeightSlot> weight_slots(const ModelSpec& model);

/// Matrices and position tables are kept in `precision`; norms and biases always as float.
constexpr DType dtype_of(const WeightSlot& slot, DType precision) {
  return slot.part == WeightPart::kMatrix || slot.part == WeightPart::kPositions ? precision : DType::kF32;
}

inline double bytes_of(const WeightSlot& slot, DType precision) {
  return static_cast<double>(slot.size()) * size_of(dtype_of(slot, precision));
}

/// Errors   throws `Error` (kUsage) unless `precision` is f32 or bf16.
void require_weight_precision(DType precision);

}  // namespace dachlast
