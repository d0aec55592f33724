#pragma once

#include <cstdint>
#include <span>
#include <variant>

#include "core/base/half.h"
#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "core/base/packed_matrix.h"
#include "kernels/variant.h"

namespace dachlast::kernels {

/// A weight matrix or vector as it lies in memory: row-major, or in panels.
using WeightSpan = std::variant<std::span<const float>, std::span<const BF16>, PackedMatrix>;

/// Multiplies activations by a weight matrix in rows (panels: packed_linear.h) for the output columns of `columns`:
///   y[i, j] = Σ_l x[i, l] · w[j, l] + bias[j],   j in columns
/// Shapes   x [m, k]; w [n, k]; bias [n] or empty; y [m, n]; row-major. Slices cut n.
/// Numbers  sums in float (the reference: in double). Variants whose arithmetic is BF16 round x to bfloat16 first.
///          Another slicing may change the last bits of the "onednn" variants, whose library orders its sums by the
///          width it is given; all others give the same bits for any slicing.
/// Memory   allocates nothing, but for the "onednn" variants: oneDNN keeps its primitives in a cache of bounded size,
/// and
///          each thread keeps a buffer of 256 Ki (at least 128 · k) elements for what it rounds or widens.
/// Errors   none: sizes are preconditions, asserted in debug builds.
using Linear = void(const LinearShape&, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                    std::span<float> y, Slice columns);

/// What cutting the columns differently does to a result.
enum class SliceEffect : std::uint8_t {
  kNone,     // the same bits for any slicing
  kLastBits  // sums are ordered by the width of the slice: who wants equal bits must cut the same way every time
};

struct LinearVariant : Variant<Linear> {
  bool (*suits)(const LinearShape&);  // made for it: GEMV variants for few rows of x, GEMM variants for many
  bool (*takes)(WeightType);          // what it can run at all, fast or not
  SliceEffect slice_effect = SliceEffect::kNone;
};

/// Every build of this operation in the binary, fastest first; "reference" is always last. "onednn" stands in the list
/// once per weight type, as its arithmetic follows it; "onednn_widened" multiplies bfloat16 weights in float.
std::span<const LinearVariant> linear_variants();

/// The first supported variant that suits the shape, or the one named where it takes the shape's weights.
const LinearVariant& linear_variant_for(const LinearShape& shape, std::string_view forced = {});

/// 2·m·n·k FLOP; weights with their scales, x and y once. Leaves out the bias: n floats and additions against n·k weights.
OpCost linear_cost(const LinearShape& shape);

}  // namespace dachlast::kernels
