#pragma once

#include <span>
#include <string_view>

#include "core/planner/memory_planner.h"

namespace dachlast {

/// How far a published start lay from our plan in what is neither weights nor cache: activations, samplers, libraries.
struct BesideResidual {
  std::string_view id;  // row of memory_kv tables
  double share = 0.0;   // published / predicted − 1
};

/// Residuals of the bundled rows that state fraction, capacity and room. They are what `dachlast validate memory_kv_dev.csv
/// --json` prints under "residuals"; a test fails where they drift apart.
std::span<const BesideResidual> beside_residuals();

/// Probability that a plan fits, given that activations and runtime miss by as much as in published starts:
///   P(weights + cache + beside · (1 + r) ≤ budget),   r = mean + s · sqrt(1 + 1/n) · t(n − 1)
/// Student's distribution, because the residuals are few: quantiles of so few could not tell 90 % from 99 %. The
/// law of activations was found on rows like these, so that the spread is a lower bound for engines and models far from
/// them. Weights and cache are counted, so their own errors, below a per cent, are left out. Where nothing is known of an engine's
/// activations the verdict is certain, 0 or 1.
double fit_probability(const MemoryPlanner& planner, int context_tokens, int batch_size);

/// P(T ≤ t) of Student's distribution.
/// Source   Abramowitz & Stegun 1964, 26.7.3 and 26.7.4
double student_probability(double t, int degrees_of_freedom);

}  // namespace dachlast
