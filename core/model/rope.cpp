#include "core/model/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace dachlast {
namespace {

constexpr double kFullTurn = 2 * std::numbers::pi;

using Frequencies = std::vector<double>;

void scale(const std::monostate&, const RopeSpec&, int, Frequencies&) {}

/// Position interpolation, Chen et al. 2023, arXiv:2306.15595: positions, and so all angles, divided by one factor.
void scale(const LinearRopeScaling& scaling, const RopeSpec&, int, Frequencies& f) {
  for (double& frequency : f) frequency /= scaling.factor;
}

/// Llama 3.1: a pair that turns often within the original context stays, one that turns rarely is divided by `factor`,
/// turns between low_freq_factor and high_freq_factor blend the two; Llama 4 states both as 1: a step.
/// Source   https://github.com/meta-llama/llama-models/blob/main/models/llama3/model.py (apply_scaling)
void scale(const Llama3RopeScaling& scaling, const RopeSpec&, int, Frequencies& f) {
  for (double& frequency : f) {
    const double turns = scaling.original_context * frequency / kFullTurn;
    const double ramp = scaling.high_freq_factor - scaling.low_freq_factor;
    const double kept = turns - scaling.low_freq_factor;
    const double share = ramp > 0.0 ? std::clamp(kept / ramp, 0.0, 1.0) : kept > 0.0 ? 1.0 : 0.0;
    frequency *= share + (1 - share) / scaling.factor;
  }
}

/// YaRN, section 3.2: pairs below `low` stay, pairs above `high` are divided by `factor`, a linear ramp between.
/// Source   Peng et al. 2023, arXiv:2309.00071; the rounding of low and high as in
///          https://github.com/jquesnelle/yarn/blob/master/scaled_rope/LlamaYaRNScaledRotaryEmbedding.py
void scale(const YarnRopeScaling& scaling, const RopeSpec& rope, int, Frequencies& f) {
  // The pair that makes `turns` turns within the original context.
  const auto pair_of = [&](double turns) {
    return rope.rotary_dim * std::log(scaling.original_context / (turns * kFullTurn)) / (2 * std::log(rope.theta));
  };
  const bool whole = scaling.range == YarnRange::kWholeDimensions;
  const double first = pair_of(scaling.beta_fast);
  const double last = pair_of(scaling.beta_slow);
  const double low = std::max(whole ? std::floor(first) : first, 0.0);
  double high = std::clamp(whole ? std::ceil(last) : last, low, std::max(low, rope.rotary_dim - 1.0));
  if (high == low) high += 0.001;  // a step instead of a ramp
  for (std::size_t i = 0; i < f.size(); ++i) {
    const double divided = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    f[i] *= (1 - divided) + divided / scaling.factor;
  }
}

/// LongRoPE, Ding et al. 2024, arXiv:2402.13753: one divisor per pair, found by search.
/// Source   https://huggingface.co/microsoft/Phi-3.5-mini-instruct/blob/main/modeling_phi3.py
void scale(const LongRopeScaling& scaling, const RopeSpec&, int context_tokens, Frequencies& f) {
  const auto& divisors = context_tokens > scaling.original_context ? scaling.long_factor : scaling.short_factor;
  for (std::size_t i = 0; i < f.size(); ++i) f[i] /= divisors[i];
}

}  // namespace

std::vector<double> rope_inverse_frequencies(const RopeSpec& rope, int context_tokens) {
  Frequencies f(static_cast<std::size_t>(rope.rotary_dim / 2));
  for (std::size_t i = 0; i < f.size(); ++i)
    f[i] = std::pow(rope.theta, -2.0 * static_cast<double>(i) / rope.rotary_dim);
  std::visit([&](const auto& scaling) { scale(scaling, rope, context_tokens, f); }, rope.scaling);
  return f;
}

double rope_attention_factor(const RopeSpec& rope) {
  if (const auto* yarn = std::get_if<YarnRopeScaling>(&rope.scaling)) return yarn->attention_factor;
  if (const auto* longrope = std::get_if<LongRopeScaling>(&rope.scaling)) return longrope->attention_factor;
  return 1.0;
}

}  // namespace dachlast
