#include "core/planner/residuals.h"

#include <cmath>
#include <numbers>
#include <vector>

#include "core/base/statistics.h"

namespace dachlast {
namespace {

// dachlast validate tests/data/reference/memory_kv_dev.csv tests/data/reference/memory_kv_extra.csv --json, "residuals"
constexpr BesideResidual kResiduals[] = {{"llm-d-incubation/llm-d-planner", 0.1216},
                                         {"vllm-project/vllm issue 10517", 0.0268},
                                         {"vllm-project/vllm issue 15815", -0.0257},
                                         {"ovg-project/kvcached PR 448", -0.0147}};

/// Σ of the series both formulas share: 1 + first · c² + first · (first + 2)/(first + 1) …, `n` terms.
double series(double cosine_squared, int first, int n) {
  double sum = n > 0 ? 1.0 : 0.0;
  double term = 1.0;
  for (int k = 1; k < n; ++k) {
    const double index = first + 2.0 * (k - 1);
    term *= cosine_squared * index / (index + 1.0);
    sum += term;
  }
  return sum;
}

}  // namespace

std::span<const BesideResidual> beside_residuals() {
  return kResiduals;
}

double student_probability(double t, int degrees_of_freedom) {
  const double n = degrees_of_freedom;
  const double angle = std::atan(t / std::sqrt(n));
  const double sine = std::sin(angle);
  const double cosine = std::cos(angle);
  double central = 0.0;  // P(|T| ≤ |t|), with the sign of t
  if (degrees_of_freedom % 2 == 0) {
    central = sine * series(cosine * cosine, 1, degrees_of_freedom / 2);
  } else {
    central = angle;
    if (degrees_of_freedom > 1) central += sine * cosine * series(cosine * cosine, 2, (degrees_of_freedom - 1) / 2);
    central *= 2.0 / std::numbers::pi;
  }
  return 0.5 + 0.5 * central;
}

double fit_probability(const MemoryPlanner& planner, int context_tokens, int batch_size) {
  const DeviceMemory memory = planner.at(context_tokens, batch_size);
  const double beside = memory.activations + memory.workspace + memory.runtime;
  const double room = planner.budget_bytes() - memory.weights - memory.kv_cache;
  if (!(beside > 0.0) || !std::isfinite(room)) return room >= beside ? 1.0 : 0.0;
  std::vector<double> shares;
  double mean = 0.0;
  for (const BesideResidual& residual : kResiduals) shares.push_back(residual.share);
  for (const double share : shares) mean += share / static_cast<double>(shares.size());
  const auto n = static_cast<double>(shares.size());
  const double spread = standard_deviation(shares) * std::sqrt(1.0 + 1.0 / n);
  const double distance = room / beside - 1.0 - mean;
  return student_probability(distance / spread, static_cast<int>(shares.size()) - 1);
}

}  // namespace dachlast
