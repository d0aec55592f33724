#pragma once

#include <span>

#include "core/base/half.h"

namespace dachlast::kernels::cpu {

/// Rounds to nearest even. `target` holds as many elements as `source`.
void convert(std::span<const float> source, BF16* target);

/// Exact.
void convert(std::span<const BF16> source, float* target);

}  // namespace dachlast::kernels::cpu
