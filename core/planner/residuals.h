#pragma once

#include <span>
#include <string_view>

#include "core/planner/memory_planner.h"

namespace dachlast {

/// How far one publisher's starts lay from our plan in what is neither weights nor cache: activations, samplers, libraries. The constants in
/// the plan come from the other publishers' rows.
struct BesideResidual {
  std::string_view source;
  double share = 0.0;  // published / predicted − 1, of the row that misses by most
};

/// Residuals of the bundled rows that state fraction, capacity and room, as `dachlast validate` prints them under "residuals" for
/// memory_kv_dev.csv and memory_kv_extra.csv; a test fails where they drift apart.
std::span<const BesideResidual> beside_residuals();

/// Probability that a plan fits, given that activations and runtime miss by as much as in starts of publishers left out in turn:
///   P(weights + cache + beside · (1 + r) ≤ budget),   r = mean + s · sqrt(1 + 1/n) · t(n − 1)
/// Student's distribution, because publishers are few: quantiles of so few could not tell 90 % from 99 %. Weights and cache are
/// counted, so their own errors, below a per cent, are left out. Where nothing is known of an engine's activations the verdict is
/// certain, 0 or 1.
double fit_probability(const MemoryPlanner& planner, int context_tokens, int batch_size);

/// P(T ≤ t) of Student's distribution.
/// Source   Abramowitz & Stegun 1964, 26.7.3 and 26.7.4
double student_probability(double t, int degrees_of_freedom);

}  // namespace dachlast
