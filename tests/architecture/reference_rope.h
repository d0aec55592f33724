#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tests/architecture/reference_math.h"

namespace dachlast::reference {

/// Turns of a head of `head_dim` as config.json states them, for a sequence of `n_tokens`.
/// Source   https://github.com/huggingface/transformers, src/transformers/modeling_rope_utils.py
Rotation rotation_of(const nlohmann::json& config, int head_dim, int n_tokens);

/// theta^(−2i / n) for n / 2 pairs, unscaled.
Rotation plain_rotation(double theta, int n_rotated);

}  // namespace dachlast::reference
