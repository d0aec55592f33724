#include "core/planner/recommend_search.h"

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <span>
#include <thread>

#include "core/base/error.h"
#include "core/memory/amount_text.h"
#include "core/planner/rank_load.h"

namespace dachlast {
namespace {

constexpr unsigned kMostThreads = 16;

/// Calls `work(i)` for every i below `n`, on all cores. The first exception is thrown on when all are done.
/// Errors   throws `Error` (kInterrupted) when stopped.
template <class Work>
void for_each_index(std::size_t n, const std::stop_token& stop, const Work& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;
  std::mutex failed;
  const auto worker = [&] {
    for (std::size_t i = next++; i < n && !stop.stop_requested(); i = next++) {
      try {
        work(i);
      } catch (...) {
        const std::lock_guard lock(failed);
        if (!failure) failure = std::current_exception();
      }
    }
  };
  const unsigned cores = std::clamp(std::thread::hardware_concurrency(), 1U, kMostThreads);
  {
    std::vector<std::jthread> threads;
    for (unsigned t = 1; t < cores && t < n; ++t) threads.emplace_back(worker);
    worker();
  }
  if (failure) std::rethrow_exception(failure);
  if (stop.stop_requested()) throw Error(ErrorKind::kInterrupted, "recommendation", "Stopped before it was found.");
}

std::string time_text(double seconds) {
  return seconds < 1.0 ? fmt::format("{:.3g} ms", 1e3 * seconds) : fmt::format("{:.3g} s", seconds);
}

/// Whose devices an engine runs on.
/// Source   vllm-project/vllm:docs/getting_started/installation, sgl-project/sglang:docs/platforms,
///          NVIDIA/TensorRT-LLM:README.md, ggml-org/llama.cpp:README.md (supported backends)
struct EngineVendors {
  std::string_view engine;
  std::vector<std::string_view> vendors;
};
const EngineVendors kVendors[] = {{"vllm", {"NVIDIA", "AMD", "Intel", "Google"}},
                                  {"sglang", {"NVIDIA", "AMD", "Intel", "Google"}},
                                  {"tensorrt-llm", {"NVIDIA"}},
                                  {"llama.cpp", {"NVIDIA", "AMD", "Intel", "Apple"}}};

std::string unsupported(const EngineProfile& engine, const DeviceSpec& device) {
  for (const EngineVendors& row : kVendors)
    if (row.engine == engine.id && std::ranges::find(row.vendors, device.vendor) == row.vendors.end())
      return fmt::format("{} does not run on devices of {}", engine.name, device.vendor);
  return {};
}

/// Weights of the fullest rank: what no device may be smaller than.
double least_bytes(const PlanScenario& types, const Layout& layout) {
  if (types.gguf_types) return 0.0;  // llama.cpp keeps tables in host memory
  double most = 0.0;
  for (const RankLoad& rank : rank_loads(types.model, types.weights, types.cache, layout))
    most = std::max(most, rank.weight_bytes);
  if (!types.counted_weights) return most;
  double modelled = 0.0;
  for (const RankLoad& rank : rank_loads(types.model, types.weights, types.cache, Layout{}))
    modelled += rank.weight_bytes;
  return most * types.counted_weights->value / modelled;
}

/// What stands against a candidate in one of the figures that people set limits to.
struct Excess {
  double share = 0.0;  // figure / limit
  std::string text;    // "TPOT 31.2 ms, limit 20 ms"
};

class Search {
 public:
  Search(const RecommendQuestion& question, const EfficiencyCatalog& curves) : question_(question), curves_(curves) {}

  Recommendation run() {
    enumerate();
    plan_memory();
    for_each_index(instances_.size(), question_.stop, [&](std::size_t i) { add_timer(instances_[i]); });
    time_all();
    conclude();
    if (result_.options.empty()) find_nearest_miss();
    return std::move(result_);
  }

 private:
  void conclude() {
    result_.frontier = pareto_frontier(result_.candidates);
    result_.options = options_among(result_.candidates, question_.n_options);
  }

  Candidate& candidate(std::size_t i) { return result_.candidates[i]; }
  Instance& instance(std::size_t candidate) { return instances_[instance_of_[candidate]]; }
  const PlanScenario& types_of(const Instance& i) const { return question_.types[i.types]; }
  const DeviceSpec& device_of(const Instance& i) const { return question_.devices[i.device]; }

  void enumerate() {
    const PlanScenario& first = question_.types.front();
    LayoutChoices choices = layout_choices(first.model, first.engine.id, question_.max_devices);
    layouts_ = std::move(choices.layouts);
    result_.refused = std::move(choices.refused);
    for (std::size_t types = 0; types < question_.types.size(); ++types)
      for (std::size_t device = 0; device < question_.devices.size(); ++device)
        for (const Layout& layout : layouts_) {
          instances_.push_back({types, device, layout, nullptr, nullptr, {}});
          add_replicas({types, device, layout, 1});
        }
  }

  void add_replicas(Deployment deployment) {
    const int most = std::min(question_.max_devices / deployment.layout.n_devices(), question_.load.n_sequences);
    for (deployment.replicas = 1; deployment.replicas <= most; ++deployment.replicas) {
      result_.candidates.emplace_back();
      result_.candidates.back().deployment = deployment;
      instance_of_.push_back(instances_.size() - 1);
    }
  }

  void plan_memory() {
    std::vector<double> least(question_.types.size() * layouts_.size());
    for_each_index(least.size(), question_.stop, [&](std::size_t i) {
      least[i] = least_bytes(question_.types[i / layouts_.size()], layouts_[i % layouts_.size()]);
    });
    least_ = std::move(least);
    for_each_index(instances_.size(), question_.stop, [&](std::size_t i) { add_planner(i, Skip::kTooSmall); });
    for (std::size_t i = 0; i < result_.candidates.size(); ++i) judge_memory(i);
  }

  double least_of(std::size_t i) const {
    const Instance& instance = instances_[i];
    return least_[instance.types * layouts_.size() + i % layouts_.size()];
  }

  /// Matrix products are most of the time: where they were measured tells how far a device is from what is known.
  std::string too_far(const EngineProfile& engine, const DeviceSpec& device) const {
    try {
      const auto origin = curves_.choose(OpLaw::kGemm, "bf16", engine.speed.kernels, device).origin;
      return origin <= question_.furthest ? "" : "nobody measured kernels on a device like it";
    } catch (const Error& error) {
      return error.what();
    }
  }

  /// Whether devices are planned for that the weights alone overflow.
  enum class Skip : std::uint8_t { kTooSmall, kNone };

  void add_planner(std::size_t i, Skip skip) {
    Instance& instance = instances_[i];
    const DeviceSpec& device = device_of(instance);
    if (instance.planner || !instance.trouble.empty()) return;
    instance.trouble = unsupported(types_of(instance).engine, device);
    if (instance.trouble.empty()) instance.trouble = no_speed_reason(types_of(instance).engine, device);
    if (instance.trouble.empty()) instance.trouble = too_far(types_of(instance).engine, device);
    if (!instance.trouble.empty()) return;
    const auto capacity = device.main_memory().capacity;
    if (skip == Skip::kTooSmall && capacity && least_of(i) > capacity->value) return;
    PlanScenario scenario = types_of(instance);
    scenario.device = device;
    scenario.layout = instance.layout;
    try {
      instance.planner = std::make_unique<const MemoryPlanner>(std::move(scenario));
    } catch (const Error& error) {
      instance.trouble = error.what();
    }
  }

  void judge_memory(std::size_t i) {
    Candidate& c = candidate(i);
    const Instance& from = instance(i);
    c.reason = from.trouble;
    c.standing = Standing::kUnknown;
    if (!c.reason.empty()) return;
    c.standing = Standing::kDoesNotFit;
    if (!from.planner) {
      c.needed_bytes = least_of(instance_of_[i]);
      c.budget_bytes = device_of(from).main_memory().capacity->value;
      c.reason = fmt::format("weights alone short by {} per GPU", missing(c));
      return;
    }
    const ServedLoad share = share_of_replica(question_.load, c.deployment.replicas);
    const DeviceMemory memory = from.planner->at(share.context_tokens(), share.n_sequences);
    c.needed_bytes = memory.total();
    c.budget_bytes = from.planner->budget_bytes();
    if (c.needed_bytes <= c.budget_bytes) {
      c.standing = Standing::kQualifies;
      return;
    }
    const bool cache = c.needed_bytes - memory.kv_cache <= c.budget_bytes;
    c.reason = fmt::format("{} short by {} per GPU", cache ? "KV cache" : "weights and workspace", missing(c));
  }

  static std::string missing(const Candidate& c) { return binary_amount(Bytes{c.needed_bytes - c.budget_bytes}); }

  void add_timer(Instance& instance) {
    if (!instance.planner) return;
    const ServedLoad least = share_of_replica(question_.load, question_.max_devices / instance.layout.n_devices());
    if (!instance.planner->fits(least.context_tokens(), least.n_sequences)) return;
    try {
      instance.timer = std::make_unique<const StepTimer>(time_scenario_of(instance.planner->scenario()), curves_);
    } catch (const Error& error) {
      instance.trouble = error.what();
    }
  }

  /// In the order of their promise, some at a time, so that the first ones can outdo the others.
  void time_all() {
    constexpr std::size_t kAtATime = 48;
    std::vector<std::size_t> order = estimate_all();
    for (std::size_t begin = 0; begin < order.size(); begin += kAtATime) {
      std::vector<std::size_t> chosen;
      for (std::size_t k = begin; k < std::min(begin + kAtATime, order.size()); ++k)
        if (is_worth_timing(order[k])) chosen.push_back(order[k]);
      time(chosen);
    }
  }

  std::vector<std::size_t> estimate_all() {
    estimates_.resize(result_.candidates.size());
    for_each_index(result_.candidates.size(), question_.stop, [&](std::size_t i) {
      const Instance& from = instance(i);
      if (candidate(i).standing != Standing::kQualifies || !from.timer) return;
      estimates_[i] = estimate_speed(*from.timer, serving_limits(*from.planner),
                                     share_of_replica(question_.load, candidate(i).deployment.replicas));
      estimates_[i].tokens_s *= candidate(i).deployment.replicas;
    });
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < result_.candidates.size(); ++i) {
      Candidate& c = candidate(i);
      if (c.standing != Standing::kQualifies) continue;
      if (instance(i).timer) {
        order.push_back(i);
        continue;
      }
      c.standing = Standing::kUnknown;
      c.reason = instance(i).trouble;
    }
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) {
      return estimates_[i].tokens_s / candidate(i).deployment.n_devices() / estimates_[i].latency_s;
    });
    return order;
  }

  bool is_worth_timing(std::size_t i) {
    if (question_.depth == SearchDepth::kEverything) return true;
    Candidate& c = candidate(i);
    if (const Excess excess = least_excess(i); excess.share > kEstimateSlack) {
      c.standing = Standing::kMissesLimit;
      c.limit_share = excess.share;
      c.reason = excess.text;
      return false;
    }
    if (std::ranges::none_of(timed_, [&](std::size_t other) { return outdoes(candidate(other), i); })) return true;
    c.standing = Standing::kOutdone;
    c.reason = "another one is faster, yields more per GPU and takes no more of them";
    return false;
  }

  /// Whether a timed candidate beats what this one could reach at best.
  bool outdoes(const Candidate& timed, std::size_t i) {
    const Candidate& c = candidate(i);
    const int n = c.deployment.n_devices();
    const double best_latency = estimates_[i].latency_s / kEstimateSlack;
    const double best_rate = estimates_[i].tokens_s * kEstimateSlack;
    if (timed.deployment.n_devices() > n || timed.latency_s() > best_latency || timed.rate_per_device() < best_rate / n)
      return false;
    const auto best_cost = cost(c, best_rate);
    return !best_cost || (timed.cost_per_million && *timed.cost_per_million <= *best_cost);
  }

  /// Price of a million tokens of answers: devices · price per hour / (tokens/s · 3,600 s) · 10^6.
  std::optional<double> cost(const Candidate& c, double tokens_s) const {
    if (!question_.prices) return std::nullopt;
    const HourlyPrice* price = question_.prices->of(question_.devices[c.deployment.device].id);
    if (price == nullptr) return std::nullopt;
    constexpr double kSecondsPerHour = 3600.0;
    constexpr double kMillion = 1e6;
    return c.deployment.n_devices() * price->per_hour / (tokens_s * kSecondsPerHour) * kMillion;
  }

  void time(const std::vector<std::size_t>& chosen) {
    for_each_index(chosen.size(), question_.stop, [&](std::size_t k) {
      Candidate& c = candidate(chosen[k]);
      c.speed = replicated_speed(instance(chosen[k]), question_.load, c.deployment.replicas);
    });
    for (const std::size_t i : chosen) {
      Candidate& c = candidate(i);
      ++result_.n_timed;
      c.cost_per_million = cost(c, c.speed->output_tokens_s.value);
      const Excess excess = excess_of(c);
      if (excess.share <= 1.0) {
        c.standing = Standing::kQualifies;
        c.limit_share = 0.0;
        c.reason.clear();
        timed_.push_back(i);
        continue;
      }
      c.standing = Standing::kMissesLimit;
      c.limit_share = excess.share;
      c.reason = excess.text;
    }
  }

  Excess over(const char* name, const char* extent, double figure, const std::optional<double>& limit) const {
    if (!limit) return {};
    return {figure / *limit, fmt::format("{} {}{}, limit {}", name, extent, time_text(figure), time_text(*limit))};
  }

  Excess excess_of(const Candidate& c) const {
    const Excess ttft = over("TTFT", "", c.speed->ttft_s.value, question_.ttft_limit_s);
    const Excess tpot = over("TPOT", "", c.speed->tpot_s ? c.speed->tpot_s->value : 0.0, question_.tpot_limit_s);
    return ttft.share > tpot.share ? ttft : tpot;
  }

  /// The same for a request that is alone, which is as fast as it gets.
  Excess least_excess(std::size_t i) const {
    const Excess ttft = over("TTFT", "at least about ", estimates_[i].least_ttft_s, question_.ttft_limit_s);
    const Excess tpot = over("TPOT", "at least about ", estimates_[i].least_tpot_s, question_.tpot_limit_s);
    return ttft.share > tpot.share ? ttft : tpot;
  }

  /// The one that exceeds its worst limit by the smallest factor; where nothing fits, the one that lacks the smallest share of memory.
  void find_nearest_miss() {
    std::vector<std::size_t> slow;
    for (std::size_t i = 0; i < result_.candidates.size(); ++i)
      if (candidate(i).standing == Standing::kMissesLimit) slow.push_back(i);
    if (slow.empty()) return find_least_shortage();
    std::ranges::stable_sort(slow, {}, [&](std::size_t i) { return least_share(i); });
    double nearest = HUGE_VAL;
    for (const std::size_t i : slow) {
      if (least_share(i) / kEstimateSlack > nearest) break;
      if (!candidate(i).speed) time({i});
      const double share = excess_of(candidate(i)).share;
      if (share >= nearest) continue;
      nearest = share;
      result_.nearest_miss = i;
    }
    if (timed_.empty()) return;
    // An estimate was off by more than its slack: what it ruled out qualifies.
    result_.nearest_miss.reset();
    conclude();
  }

  double least_share(std::size_t i) const {
    const Candidate& c = result_.candidates[i];
    return c.speed ? excess_of(c).share : least_excess(i).share;
  }

  void find_least_shortage() {
    for_each_index(instances_.size(), question_.stop, [&](std::size_t i) { add_planner(i, Skip::kNone); });
    double nearest = HUGE_VAL;
    for (std::size_t i = 0; i < result_.candidates.size(); ++i) {
      judge_memory(i);
      const Candidate& c = candidate(i);
      if (c.standing != Standing::kDoesNotFit || !(c.needed_bytes / c.budget_bytes < nearest)) continue;
      nearest = c.needed_bytes / c.budget_bytes;
      result_.nearest_miss = i;
    }
  }

  const RecommendQuestion& question_;
  const EfficiencyCatalog& curves_;
  std::vector<Layout> layouts_;
  std::vector<double> least_;  // [types][layouts]
  std::vector<Instance> instances_;
  std::vector<std::size_t> instance_of_;  // [candidates]
  std::vector<SpeedEstimate> estimates_;  // [candidates]
  std::vector<std::size_t> timed_;        // that qualify
  Recommendation result_;
};

void require_limit(std::string_view option, const std::optional<double>& limit) {
  if (!limit || *limit > 0.0) return;
  throw Error(ErrorKind::kUsage, std::string(option), "is not a time above 0.", "Give it as in 200ms.");
}

}  // namespace

Recommendation recommend(const RecommendQuestion& question, const EfficiencyCatalog& curves) {
  if (question.types.empty() || question.devices.empty())
    throw Error(ErrorKind::kUsage, "recommend", "no types or no devices to choose from.", "Name some.");
  if (question.max_devices < 1)
    throw Error(ErrorKind::kUsage, "--max-gpus", fmt::format("{} is not a positive number.", question.max_devices),
                "Give 1 or more.");
  require_limit("--ttft", question.ttft_limit_s);
  require_limit("--tpot", question.tpot_limit_s);
  return Search(question, curves).run();
}

}  // namespace dachlast
