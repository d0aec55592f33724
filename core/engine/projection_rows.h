#pragma once

#include <cstddef>
#include <type_traits>
#include <variant>

#include "core/base/packed_matrix.h"
#include "core/model/weights.h"

namespace dachlast {

/// Rows `first` … `first` + `n` of a matrix of `k` columns: what a step multiplies by that computes a part of Q, K and V. Of panels
/// both must be whole ones.
inline WeightMatrix rows_of_projection(WeightMatrix whole, std::size_t first, std::size_t n, std::size_t k) {
  if (auto* packed = std::get_if<PackedMatrix>(&whole)) {
    const std::size_t panel = PanelLayout(packed->type, packed->columns).panel_bytes();
    packed->bytes = packed->bytes.subspan(first / kPanelRows * panel);
    packed->rows = static_cast<int>(n);
    return whole;
  }
  return std::visit(
      [&](auto rows) -> WeightMatrix {
        if constexpr (std::is_same_v<decltype(rows), PackedMatrix>)
          return rows;
        else
          return rows.subspan(first * k, n * k);
      },
      whole);
}

}  // namespace dachlast
