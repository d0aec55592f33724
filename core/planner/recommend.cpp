#include "core/planner/recommend.h"

#include <algorithm>
#include <array>
#include <functional>

namespace dachlast {
namespace {

std::vector<std::size_t> qualifying(const std::vector<Candidate>& candidates) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < candidates.size(); ++i)
    if (candidates[i].standing == Standing::kQualifies) indices.push_back(i);
  return indices;
}

/// Everything but memory that speaks for a candidate, more being better. Without a price nothing is known of its cost.
std::array<double, 4> merits(const Candidate& candidate) {
  return {-candidate.latency_s(), candidate.rate_per_device(), -1.0 * candidate.deployment.n_devices(),
          candidate.cost_per_million ? -*candidate.cost_per_million : 0.0};
}

bool beats(const std::array<double, 4>& a, const std::array<double, 4>& b) {
  bool better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] < b[i]) return false;
    better = better || a[i] > b[i];
  }
  return better;
}

/// Those that no other beats in all merits at once.
std::vector<std::size_t> unbeaten(const std::vector<Candidate>& candidates) {
  const std::vector<std::size_t> all = qualifying(candidates);
  std::vector<std::array<double, 4>> of_all;
  for (const std::size_t i : all) of_all.push_back(merits(candidates[i]));
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (std::ranges::none_of(of_all, [&](const auto& other) { return beats(other, of_all[i]); }))
      left.push_back(all[i]);
  return left;
}

/// Chooses options in turn and keeps one entry for each candidate.
class Chooser {
 public:
  explicit Chooser(const std::vector<Candidate>& candidates) : candidates_(candidates) {}

  /// The one of `pool` with the largest `merit`; of equal ones the larger `second`, then the first.
  void choose(const std::vector<std::size_t>& pool, Advantage advantage,
              const std::function<double(const Candidate&)>& merit,
              const std::function<double(const Candidate&)>& second) {
    const auto key = [&](std::size_t i) { return std::pair(merit(candidates_[i]), second(candidates_[i])); };
    const auto best = std::ranges::max_element(pool, [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
    if (best != pool.end()) add(*best, advantage);
  }

  void add(std::size_t candidate, Advantage advantage) {
    const auto known = std::ranges::find(options_, candidate, &Option::candidate);
    if (known == options_.end())
      options_.push_back({candidate, {advantage}});
    else if (advantage != Advantage::kFrontier)
      known->advantages.push_back(advantage);
  }

  std::vector<Option> take(int n) {
    if (options_.size() > static_cast<std::size_t>(n)) options_.resize(static_cast<std::size_t>(n));
    return std::move(options_);
  }

 private:
  const std::vector<Candidate>& candidates_;
  std::vector<Option> options_;
};

double fewer_devices(const Candidate& c) {
  return -1.0 * c.deployment.n_devices();
}
double faster(const Candidate& c) {
  return -c.latency_s();
}
double yields_more(const Candidate& c) {
  return c.rate_per_device();
}

}  // namespace

std::vector<std::size_t> pareto_frontier(const std::vector<Candidate>& candidates) {
  std::vector<std::size_t> sorted = qualifying(candidates);
  std::ranges::stable_sort(sorted, [&](std::size_t a, std::size_t b) {
    const auto key = [&](std::size_t i) {
      return std::pair(candidates[i].latency_s(), -candidates[i].rate_per_device());
    };
    return key(a) < key(b);
  });
  std::vector<std::size_t> frontier;
  double most = 0.0;
  for (const std::size_t i : sorted) {
    if (candidates[i].rate_per_device() <= most) continue;
    most = candidates[i].rate_per_device();
    frontier.push_back(i);
  }
  return frontier;
}

std::vector<Option> options_among(const std::vector<Candidate>& candidates, int n_options) {
  const std::vector<std::size_t> pool = unbeaten(candidates);
  std::vector<std::size_t> priced;
  for (const std::size_t i : pool)
    if (candidates[i].cost_per_million) priced.push_back(i);
  Chooser chooser(candidates);
  chooser.choose(
      priced, Advantage::kLowestCost, [](const Candidate& c) { return -*c.cost_per_million; }, faster);
  chooser.choose(pool, Advantage::kFewestDevices, fewer_devices, yields_more);
  chooser.choose(pool, Advantage::kHighestThroughput, yields_more, faster);
  chooser.choose(pool, Advantage::kLowestLatency, faster, fewer_devices);
  chooser.choose(
      pool, Advantage::kMostHeadroom, [](const Candidate& c) { return c.headroom(); }, fewer_devices);
  // Between the ends of the frontier: the largest product of both figures first.
  std::vector<std::size_t> rest = pareto_frontier(candidates);
  std::ranges::stable_sort(rest, std::greater{},
                           [&](std::size_t i) { return candidates[i].rate_per_device() / candidates[i].latency_s(); });
  for (const std::size_t i : rest) chooser.add(i, Advantage::kFrontier);
  return chooser.take(n_options);
}

}  // namespace dachlast
