#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/base/op.h"
#include "core/base/packed_matrix.h"
#include "kernels/variant.h"

// Projections whose weights lie in panels (core/base/packed_matrix.h). The activations of an operation are rounded and
// laid out once, then any number of threads multiply panels of weights by them.
namespace dachlast::kernels {

/// Most rows of activations that one pass over a panel serves: 12 rows by 2 registers of sums leave 8 of 32 AVX-512
/// registers for weights, activations and scales.
inline constexpr int kMostTileRows = 12;

/// How `pack_rows` lays activations out: in tiles whose heights differ by at most one row, higher ones first. A tile is
///   scales      float [rows], of quantized weights only
///   corrections int32 [n_groups][rows], likewise: −offset of the weights · Σ of the group's activations
///   steps       [n_steps][rows of the tile][4 bytes]: 2 bf16, or 4 signed integers
class RowTiles {
 public:
  explicit RowTiles(const LinearShape& shape);

  int n_tiles() const { return n_tiles_; }
  int first_row(int tile) const { return tile * height_ - std::max(0, tile - n_high_); }
  int rows(int tile) const { return tile < n_high_ ? height_ : height_ - 1; }
  std::size_t start(int tile) const { return static_cast<std::size_t>(tile) * tile_bytes_; }
  std::size_t corrections(int tile) const { return start(tile) + scale_bytes_; }
  std::size_t steps(int tile) const { return corrections(tile) + correction_bytes_; }
  std::size_t bytes() const { return start(n_tiles_); }

 private:
  int n_tiles_;
  int height_;
  int n_high_;  // tiles of that height; the others have a row less
  std::size_t scale_bytes_ = 0;
  std::size_t correction_bytes_ = 0;
  std::size_t tile_bytes_;
};

/// Lays out the rows of x [m, k] that belong to the tiles of the slice.
/// Numbers  bf16 weights: rounded to bf16, nearest even. Quantized ones: q = round(x · 127 / max |x|) to nearest even,
///          one scale max |x| / 127 a row, zeros where max |x| < 127 · 2^-126; a row that holds a NaN or an infinity gets a scale that is one, so that it
///          shows in the result.
/// Shapes   `packed` is RowTiles(shape).bytes() long and starts on a cache line.
using PackRows = void(const LinearShape&, std::span<const float> x, std::span<std::byte> packed, Slice tiles);

/// Multiplies packed activations by the rows of w in the panels of the slice:
///   y[i, j] = Σ_l x[i, l] · w[j, l] + bias[j],   j in panels
/// Shapes   w [n, k]; bias [n] or empty; y [m, n] row-major. Slices cut w.n_panels().
/// Numbers  bf16: sums in float. Quantized: sums in 32-bit integers within a group (k at most 2^17 where a row is one),
///          then scaled and added up in float, group after group. The same bits for any slicing.
/// Memory   allocates nothing. Errors none: sizes are preconditions, asserted in debug builds.
using PackedLinear = void(const LinearShape&, std::span<const std::byte> packed_x, const PackedMatrix& w,
                          std::span<const float> bias, std::span<float> y, Slice panels);

struct PackedLinearVariant : Variant<PackedLinear> {
  PackRows* pack_rows;
  bool (*takes)(WeightType);
};

/// Every build of this operation in the binary, fastest first; "reference" is always last.
std::span<const PackedLinearVariant> packed_linear_variants();

/// The first supported variant that takes the weights, or the one named where it does.
const PackedLinearVariant& packed_linear_variant_for(WeightType weights, std::string_view forced = {});

/// How this CPU best reads weights of a type: bf16 in panels where a variant made for them runs, else in rows.
WeightStorage weight_storage(WeightType weights);

/// What a projection of this shape is computed in, weights kept as `weight_storage` says.
DType linear_arithmetic(const LinearShape& shape);

}  // namespace dachlast::kernels
