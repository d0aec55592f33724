#pragma once

#include <vector>

#include "core/model/model_spec.h"

namespace dachlast {

/// Angle per token of each rotated pair: pair i turns by position · f[i], f[i] = theta^(−2i / rotary_dim), then scaled.
/// `context_tokens` is the longest context of the run: LongRoPE changes its frequencies beyond the original one.
/// Shapes   rotary_dim / 2 values, fastest pair first. Units: radians per token.
/// Source   Su et al. 2021, arXiv:2104.09864; scalings: see rope.cpp.
std::vector<double> rope_inverse_frequencies(const RopeSpec& rope, int context_tokens);

/// Multiplies cos and sin of every pair; 1 unless the scaling states otherwise.
double rope_attention_factor(const RopeSpec& rope);

}  // namespace dachlast
