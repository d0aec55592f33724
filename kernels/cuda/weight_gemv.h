#pragma once

#include <span>

#include "kernels/cuda/stream.h"
#include "kernels/packed_linear.h"

namespace dachlast::kernels::cuda {

/// Most rows of x that one pass over the weights serves; more rows read the weights again.
inline constexpr int kGemvRows = 4;

/// y[i, j] = Σ_l x[i, l] · w[j, l] + bias[j], weights in panels (core/base/packed_matrix.h) of any type, x kept in float:
/// weight-only quantization, made for the few rows of decode.
/// Shapes   x [m, k]; w [n, k]; bias [n] or empty; y [m, n]; row-major, in device memory.
/// Numbers  integers are widened exactly, sums are float. Cost: `linear_cost`, and the bias.
/// Errors   `Error` of kind kDevice where the launch is refused.
void weight_gemv(const LinearShape& shape, std::span<const float> x, const PackedMatrix& w, std::span<const float> bias,
                 std::span<float> y, Stream stream);

}  // namespace dachlast::kernels::cuda
