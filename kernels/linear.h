#pragma once

#include <span>
#include <variant>

#include "core/base/half.h"
#include "core/base/op.h"
#include "core/base/op_cost.h"
#include "kernels/variant.h"

namespace dachlast::kernels {

/// A weight matrix or vector as it lies in memory, row-major.
using WeightSpan = std::variant<std::span<const float>, std::span<const BF16>>;

/// Multiplies activations by a weight matrix for the output columns of `columns`:
///   y[i, j] = Σ_l x[i, l] · w[j, l] + bias[j],   j in columns
/// Shapes   x [m, k]; w [n, k]; bias [n] or empty; y [m, n]; row-major. Slices cut n.
/// Numbers  sums in float (the reference: in double). Variants whose arithmetic is BF16 round x to bfloat16 first.
/// Memory   allocates nothing of its own; library variants keep their primitives in a cache bounded by its size.
/// Errors   none: sizes are preconditions, asserted in debug builds.
using Linear = void(const LinearShape&, std::span<const float> x, WeightSpan w, std::span<const float> bias,
                    std::span<float> y, Slice columns);

struct LinearVariant : Variant<Linear> {
  bool (*suits)(const LinearShape&);  // a GEMV variant takes few rows of x, a GEMM variant many
};

/// Every build of this operation in the binary, fastest first; "reference" is always last.
std::span<const LinearVariant> linear_variants();

/// The first supported variant that suits the shape, or the one named.
const LinearVariant& linear_variant_for(const LinearShape& shape, std::string_view forced = {});

/// 2·m·n·k FLOP; weights, x and y once. Leaves out the bias: n floats and additions against n·k weights.
OpCost linear_cost(const LinearShape& shape);

}  // namespace dachlast::kernels
