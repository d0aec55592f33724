#include "core/planner/expert_load.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace dachlast {
namespace {

// Popularity of experts: a power law of this exponent between the rarest and one ten times as popular. That is what the operator tables' own
// skewed rows show beside balanced ones where weights are the traffic (16 and 64 tokens, one rank): the quotient of their times
// is that of the experts touched, to 5 % at the median.
// Source   ai-dynamo/aiconfigurator:collector (power_law_1.2 beside balanced)
constexpr double kExponent = 1.2;
constexpr double kMostPopular = 10.0;
constexpr int kParts = 8;

double spread_to(double mean, double variance, double ranks, double most) {
  return std::min(most, mean + largest_deviate(ranks) * std::sqrt(variance));
}

/// Popularity of experts over their mean, at the middles of equal parts of them.
const std::array<double, kParts>& popularity() {
  static const std::array<double, kParts> shares = [] {
    std::array<double, kParts> made{};
    const double end = std::pow(kMostPopular, 1.0 - kExponent) - 1.0;
    double sum = 0.0;
    for (std::size_t i = 0; i < made.size(); ++i) {
      made[i] = std::pow(end * (static_cast<double>(i) + 0.5) / kParts + 1.0, 1.0 / (1.0 - kExponent));
      sum += made[i] / kParts;
    }
    for (double& share : made) share /= sum;
    return made;
  }();
  return shares;
}

/// Probability that at least one token goes to an expert, over all experts.
double touched_share(const ExpertTraffic& traffic) {
  double sum = 0.0;
  for (const double share : popularity())
    sum += 1.0 - std::pow(1.0 - std::min(1.0, share * traffic.active / traffic.n_experts), traffic.tokens);
  return sum / kParts;
}

}  // namespace

double largest_deviate(double n) {
  if (!(n > 1.0)) return 0.0;
  const double above = 0.625 / (n + 0.25);
  const double t = std::sqrt(-2.0 * std::log(above));
  return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

double touched_experts(const ExpertTraffic& traffic) {
  const double held = traffic.n_experts / traffic.ranks;
  const double touched = touched_share(traffic);
  return std::max(1.0, spread_to(held * touched, held * touched * (1.0 - touched), traffic.ranks, held));
}

double expert_rows(const ExpertTraffic& traffic) {
  const double share = 1.0 / traffic.ranks;
  const double pairs = traffic.tokens * traffic.active;
  return spread_to(pairs * share, pairs * share * (1.0 - share), traffic.ranks, pairs);
}

}  // namespace dachlast
