#pragma once

#include <cstdint>
#include <memory>

#include "core/model/weights.h"

namespace dachlast {

/// As `random_weights` in weights.h, filled by `n_threads` threads; the bits do not depend on how many.
/// Shapes   matrices and embeddings: mean 0, standard deviation 1/sqrt(columns), so that products of normed activations
///          stay of order 1 and logits of order 1; norms 1 ± 0.07 (less `weight_offset`); biases 0 ± 0.02.
/// Numbers  element i of a slot is a hash of (seed, role, layer, part, i): SplitMix64, Steele et al. 2014,
///          doi:10.1145/2660193.2660195; its four 16-bit fields are summed (Irwin–Hall), which is normal up to 3.4
///          standard deviations. bf16 weights are the f32 weights rounded, quantized ones the f32 weights quantized.
/// Errors   throws `Error`: kDoesNotFit with the bytes needed; kUsage for a type that weights are not kept in.
std::unique_ptr<Weights> random_weights(const ModelSpec& model, std::uint64_t seed, const WeightStorage& storage,
                                        int n_threads);

}  // namespace dachlast
