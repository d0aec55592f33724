#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/planner/price_list.h"
#include "core/planner/recommend_layouts.h"
#include "core/planner/served_speed.h"

namespace dachlast {

/// Whether candidates are timed that another one beats in every respect by a margin beyond the estimate's error.
enum class SearchDepth : std::uint8_t { kPruned, kEverything };

/// What hardware is looked for.
struct RecommendQuestion {
  /// The model under an engine, once for each pair of weight and cache type; device and layout are open.
  std::vector<PlanScenario> types;
  std::vector<DeviceSpec> devices;  // as the operating system sees them: `per_device`
  ServedLoad load;                  // of all devices together
  std::optional<double> ttft_limit_s;
  std::optional<double> tpot_limit_s;
  int max_devices = 8;
  int n_options = 5;
  /// The furthest measurements that may stand for a device's own: those of its family, or of any device at all.
  EfficiencyOrigin furthest = EfficiencyOrigin::kGeneric;
  std::optional<PriceList> prices;
  SearchDepth depth = SearchDepth::kPruned;
  std::stop_token stop = {};
};

/// One way to serve the load: `replicas` copies of a layout, each with its share of the requests.
struct Deployment {
  std::size_t types = 0;   // into RecommendQuestion::types
  std::size_t device = 0;  // into RecommendQuestion::devices
  Layout layout;
  int replicas = 1;

  int n_devices() const { return layout.n_devices() * replicas; }
};

enum class Standing : std::uint8_t {
  kQualifies,    // fits and meets the limits
  kMissesLimit,  // fits, and is too slow
  kOutdone,      // fits, and another is better in every respect: not timed
  kDoesNotFit,
  kUnknown  // nothing can be said about it
};

constexpr std::string_view name_of(Standing standing) {
  constexpr std::string_view names[] = {"qualifies", "misses a limit", "outdone", "does not fit", "not known"};
  return names[static_cast<int>(standing)];
}

struct Candidate {
  Deployment deployment;
  Standing standing = Standing::kUnknown;
  double needed_bytes = 0.0;  // of the fullest device; where the weights alone do not fit, theirs
  double budget_bytes = 0.0;
  std::optional<ServedSpeed> speed;        // as a client sees it; tokens/s of all replicas
  std::optional<double> cost_per_million;  // output tokens, in the currency of the prices
  double limit_share = 0.0;                // of the limit it misses by most: figure / limit
  std::string reason;                      // why it does not qualify

  /// Seconds between two tokens of a request, or to its only one. Only where there is a speed.
  double latency_s() const { return speed->tpot_s ? speed->tpot_s->value : speed->ttft_s.value; }
  /// Tokens/s of all requests together over the devices they take. Only where there is a speed.
  double rate_per_device() const { return speed->output_tokens_s.value / deployment.n_devices(); }
  /// Share of the budget that is left.
  double headroom() const { return 1.0 - needed_bytes / budget_bytes; }
};

/// Why an option is offered.
enum class Advantage : std::uint8_t {
  kFewestDevices,
  kLowestLatency,
  kMostHeadroom,
  kHighestThroughput,
  kLowestCost,
  kFrontier
};

constexpr std::string_view name_of(Advantage advantage) {
  constexpr std::string_view names[] = {"fewest GPUs", "lowest latency", "most headroom", "highest throughput per GPU",
                                        "lowest cost", "on the frontier"};
  return names[static_cast<int>(advantage)];
}

struct Option {
  std::size_t candidate = 0;
  std::vector<Advantage> advantages;
};

struct Recommendation {
  std::vector<Candidate> candidates;  // in the order of types, devices, layouts, replicas
  std::vector<RefusedLayout> refused;
  /// Candidates that no other beats in both tokens/s of a request and tokens/s per device; the fastest request first.
  std::vector<std::size_t> frontier;
  std::vector<Option> options;              // at most `n_options`
  std::optional<std::size_t> nearest_miss;  // where nothing qualifies
  std::size_t n_timed = 0;
};

/// Searches devices × layouts × types × replicas: memory first, then the time of what fits. Replicas share the requests evenly; the
/// one with most of them decides what a client sees.
/// Threads  uses all cores; equal questions get equal answers whatever their number.
/// Errors   throws `Error`: kUsage where types or devices are empty, or a limit is not positive; kInterrupted when stopped.
Recommendation recommend(const RecommendQuestion& question, const EfficiencyCatalog& curves);

/// Indices of candidates that qualify and that no other beats in both figures, the fastest request first.
std::vector<std::size_t> pareto_frontier(const std::vector<Candidate>& candidates);

/// The candidates with an advantage of their own, then further ones of the frontier.
/// Numbers  "most headroom" compares those alone that none beats in latency, throughput, number of devices and cost at once: an idle
///          device has the most room, and nobody wants it.
std::vector<Option> options_among(const std::vector<Candidate>& candidates, int n_options);

}  // namespace dachlast
