#pragma once

#include <cstdint>
#include <span>

#include "kernels/cuda/stream.h"
#include "kernels/elementwise.h"

// The contracts of kernels/elementwise.h on a CUDA device: spans point to device memory, the whole operation is queued at
// once, costs are the same. An empty operation queues nothing.
// Errors   `Error` of kind kDevice where the launch is refused.
namespace dachlast::kernels::cuda {

void embed(const EmbedShape& shape, const EmbedTables& tables, std::span<const std::int32_t> ids,
           std::span<const std::int32_t> position_rows, std::span<float> out, Stream stream);

void norm(const NormShape& shape, const NormRule& rule, std::span<const float> x, int x_stride,
          std::span<const float> w, std::span<const float> bias, std::span<float> out, int out_stride, Stream stream);

/// residual += branch, then out = norm(residual), in one pass over the residual.
/// Shapes   residual, branch, out [n_rows, dim] without gaps.
void add_norm(const NormShape& shape, const NormRule& rule, std::span<float> residual, std::span<const float> branch,
              std::span<const float> w, std::span<const float> bias, std::span<float> out, Stream stream);

/// As `residual_cost` and `norm_cost` together, but the sum is not read again.
OpCost add_norm_cost(const NormShape& shape);

void rope(const RopeShape& shape, std::span<float> qkv, int stride, std::span<const float> cos,
          std::span<const float> sin, Stream stream);

void activate(const ActivationShape& shape, Activation activation, std::span<const float> in, std::span<float> out,
              Stream stream);

void residual(const ResidualShape& shape, std::span<float> residual, std::span<const float> branch, Stream stream);

void sample(const SampleShape& shape, std::span<const float> logits, std::span<std::int32_t> next_ids, Stream stream);

/// next_ids[r] = the first i where Σ_{j ≤ i} w_j > uniforms[r] · Σ w_j,  w_j = exp((logits[r, j] − largest) / temperature).
/// Shapes   uniforms [n_rows] in [0, 1). Numbers: sums in float; a NaN has no weight; 0 where nothing has.
void sample_softmax(const SampleShape& shape, float temperature, std::span<const float> logits,
                    std::span<const float> uniforms, std::span<std::int32_t> next_ids, Stream stream);

/// Four FLOP an element (maximum, difference, exponential, sum); reads the logits once and the random numbers.
OpCost sample_softmax_cost(const SampleShape& shape);

}  // namespace dachlast::kernels::cuda
