#pragma once

#include <variant>
#include <vector>

#include "core/base/op.h"

namespace dachlast {

/// Positions divided by `factor` (position interpolation).
struct LinearRopeScaling {
  double factor;
};

/// Llama 3.1: low frequencies divided by `factor`, high ones kept, a smooth ramp between.
struct Llama3RopeScaling {
  double factor;
  double low_freq_factor;
  double high_freq_factor;
  int original_context;
};

/// Whether the ends of YaRN's ramp are rounded outwards to whole dimensions; gpt-oss leaves them as they are.
enum class YarnRange { kWholeDimensions, kExact };

/// YaRN, Peng et al. 2023, arXiv:2309.00071.
struct YarnRopeScaling {
  double factor;
  double beta_fast;
  double beta_slow;
  double attention_factor;  // multiplies cos and sin
  int original_context;
  YarnRange range = YarnRange::kWholeDimensions;
  double score_factor = 1.0;  // multiplies scores: DeepSeek stretches their scale too
};

/// Phi-3 LongRoPE: one divisor per frequency, one list up to `original_context` tokens, another beyond it.
struct LongRopeScaling {
  std::vector<double> short_factor;
  std::vector<double> long_factor;
  double attention_factor;
  int original_context;
};

using RopeScaling =
    std::variant<std::monostate, LinearRopeScaling, Llama3RopeScaling, YarnRopeScaling, LongRopeScaling>;

/// Rotary position embedding.
struct RopeSpec {
  double theta = 10000.0;
  int rotary_dim = 0;
  RopeScaling scaling;
  RopePairs pairs = RopePairs::kHalves;
};

}  // namespace dachlast
