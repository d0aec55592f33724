#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/base/half.h"
#include "kernels/cpu/packed_linear_cpu.h"

namespace dachlast::kernels::cpu {
namespace {

constexpr float kMost = 127.0F;

std::int32_t offset_of(WeightType weights) {
  return weights.bits() == 4 ? 8 : 128;
}

template <class T>
void put(std::span<std::byte> packed, std::size_t at, T value) {
  std::memcpy(packed.data() + at, &value, sizeof(T));
}

template <class T>
T get(std::span<const std::byte> packed, std::size_t at) {
  T value;
  std::memcpy(&value, packed.data() + at, sizeof(T));
  return value;
}

/// Start of the element of column `column` in the steps of a tile.
std::size_t element_start(const PanelLayout& layout, int tile_rows, int row, int column) {
  const auto step = static_cast<std::size_t>(column / layout.step_columns);
  return (step * tile_rows + row) * 4 +
         static_cast<std::size_t>(column % layout.step_columns) * (4 / layout.step_columns);
}

/// max |x|, or a NaN where there is one.
float largest_magnitude(std::span<const float> x) {
  float most = 0.0F;
  for (const float value : x) {
    if (std::isnan(value)) return value;
    most = std::max(most, std::abs(value));
  }
  return most;
}

std::int8_t quantized(float scaled) {
  return std::isfinite(scaled) ? static_cast<std::int8_t>(std::nearbyint(scaled)) : std::int8_t{-128};
}

struct TileRow {
  const RowTiles& tiles;
  int tile;
  int row;

  std::size_t scale() const { return tiles.start(tile) + static_cast<std::size_t>(row) * sizeof(float); }
  std::size_t correction(int group) const {
    return tiles.corrections(tile) + (static_cast<std::size_t>(group) * tiles.rows(tile) + row) * sizeof(std::int32_t);
  }
  std::size_t element(const PanelLayout& layout, int column) const {
    return tiles.steps(tile) + element_start(layout, tiles.rows(tile), row, column);
  }
};

void pack_integer_row(const LinearShape& shape, const PanelLayout& layout, std::span<const float> x,
                      std::span<std::byte> packed, const TileRow& where) {
  const float most = largest_magnitude(x);
  put(packed, where.scale(), most / kMost);
  const float inverse = most < kLeastMagnitude ? 0.0F : kMost / most;
  const int group_columns = layout.group_steps * layout.step_columns;
  std::int32_t sum = 0;
  for (int l = 0; l < layout.n_steps * layout.step_columns; ++l) {
    const std::int8_t q = l < shape.k ? quantized(x[static_cast<std::size_t>(l)] * inverse) : std::int8_t{0};
    put(packed, where.element(layout, l), q);
    sum += q;
    if ((l + 1) % group_columns != 0 && l + 1 != layout.n_steps * layout.step_columns) continue;
    put(packed, where.correction(l / group_columns), -offset_of(shape.weight_dtype) * sum);
    sum = 0;
  }
}

void pack_bf16_row(const LinearShape& shape, const PanelLayout& layout, std::span<const float> x,
                   std::span<std::byte> packed, const TileRow& where) {
  for (int l = 0; l < layout.n_steps * layout.step_columns; ++l)
    put(packed, where.element(layout, l), l < shape.k ? to_bf16(x[static_cast<std::size_t>(l)]) : BF16{});
}

double activation(const LinearShape& shape, const PanelLayout& layout, std::span<const std::byte> packed,
                  const TileRow& where, int column) {
  const std::size_t at = where.element(layout, column);
  if (!shape.weight_dtype.quantized()) return to_float(get<BF16>(packed, at));
  return static_cast<double>(get<float>(packed, where.scale())) * get<std::int8_t>(packed, at);
}

}  // namespace

void pack_rows_reference(const LinearShape& shape, std::span<const float> x, std::span<std::byte> packed, Slice tiles) {
  const RowTiles layout_of_rows(shape);
  const PanelLayout layout(shape.weight_dtype, shape.k);
  assert(packed.size() >= layout_of_rows.bytes() && x.size() >= static_cast<std::size_t>(shape.m) * shape.k);
  for (int tile = tiles.begin; tile < tiles.end; ++tile)
    for (int row = 0; row < layout_of_rows.rows(tile); ++row) {
      const auto first = static_cast<std::size_t>(layout_of_rows.first_row(tile) + row) * shape.k;
      const auto values = x.subspan(first, static_cast<std::size_t>(shape.k));
      const TileRow where{layout_of_rows, tile, row};
      if (shape.weight_dtype.quantized())
        pack_integer_row(shape, layout, values, packed, where);
      else
        pack_bf16_row(shape, layout, values, packed, where);
    }
}

/// Sums in double; allocates one row of weights.
void packed_linear_reference(const LinearShape& shape, std::span<const std::byte> packed_x, const PackedMatrix& w,
                             std::span<const float> bias, std::span<float> y, Slice panels) {
  const RowTiles tiles(shape);
  const PanelLayout layout(shape.weight_dtype, shape.k);
  std::vector<float> weights(static_cast<std::size_t>(shape.k));
  for (int j = panels.begin * kPanelRows; j < std::min(panels.end * kPanelRows, shape.n); ++j) {
    unpack_row(w, j, weights);
    for (int tile = 0; tile < tiles.n_tiles(); ++tile)
      for (int row = 0; row < tiles.rows(tile); ++row) {
        double sum = bias.empty() ? 0.0 : bias[static_cast<std::size_t>(j)];
        for (int l = 0; l < shape.k; ++l)
          sum += activation(shape, layout, packed_x, {tiles, tile, row}, l) * weights[static_cast<std::size_t>(l)];
        y[static_cast<std::size_t>(tiles.first_row(tile) + row) * shape.n + j] = static_cast<float>(sum);
      }
  }
}

}  // namespace dachlast::kernels::cpu
