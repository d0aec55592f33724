#include "core/engine/calibration_plan.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

namespace dachlast {
namespace {

// Threads of a DRAM probe read contiguous pieces; whole multiples of 64 KiB keep the borders off shared pages.
constexpr std::size_t kDramGrain = std::size_t{64} << 10;
constexpr double kLeastDramBytes = kGiB;
constexpr double kDramOverCache = 4.0;       // STREAM's rule for array sizes
constexpr double kLeastDramOverCache = 1.5;  // below, most of the set could stay in the cache
constexpr double kCacheFill = 0.75;          // of a level; beyond, other data and uneven sets push lines out

const CacheLevel* find_level(const HostTopology& host, int level) {
  const auto found =
      std::find_if(host.caches.begin(), host.caches.end(), [level](const CacheLevel& c) { return c.level == level; });
  return found == host.caches.end() ? nullptr : &*found;
}

double total_bytes(const CacheLevel& cache) {
  return cache.size_bytes * cache.n_instances;
}

/// Of one instance, divided by the cores that share it.
double share_of_core(const CacheLevel& cache, int n_cores) {
  return std::min(cache.size_bytes, total_bytes(cache) / std::max(1, n_cores));
}

class Planner {
 public:
  Planner(const HostTopology& host, int n_threads) : host_(host) {
    plan_.team_sizes = calibration_team_sizes(n_threads);
  }

  void add_cache_level(MemoryLevel level, int number) {
    const CacheLevel* cache = find_level(host_, number);
    if (cache == nullptr) {
      remark("no_cache_size",
             fmt::format("The system does not tell the size of the {} cache: not measured.", name_of(level)));
      return;
    }
    const double bytes = std::max(0.5 * share_of_core(*cache, host_.n_cores), 2.0 * share_below_);
    share_below_ = share_of_core(*cache, host_.n_cores);
    last_cache_ = total_bytes(*cache);
    for (const int size : plan_.team_sizes) {
      // Threads fill instance after instance, so the fullest one holds as many sets as cores share it, at most.
      if (bytes * std::min<double>(size, cores_per(*cache)) <= kCacheFill * cache->size_bytes)
        plan_.working_sets.push_back({level, size, static_cast<std::size_t>(bytes)});
      else
        remark("level_not_measured", fmt::format("{} with {} threads: the level above is too large beside it for a set "
                                                 "that lives in {} alone.",
                                                 name_of(level), size, name_of(level)));
    }
  }

  void add_dram(double max_memory_bytes) {
    const double wanted = std::max(kDramOverCache * last_cache_, kLeastDramBytes);
    const double total = std::min(wanted, max_memory_bytes / memory_factor());
    if (total < kLeastDramOverCache * last_cache_ || total < static_cast<double>(kDramGrain)) {
      remark("level_not_measured",
             fmt::format("DRAM: {:.2f} GiB of memory may be used, too little beside caches of {:.2f} GiB.",
                         max_memory_bytes / kGiB, last_cache_ / kGiB));
      return;
    }
    if (total < kDramOverCache * last_cache_)
      remark("small_working_set",
             fmt::format("DRAM was measured on {:.2f} GiB, {:.1f} times the caches instead of 4: memory "
                         "is short.",
                         total / kGiB, total / last_cache_));
    for (const int size : plan_.team_sizes) {
      const auto grains = static_cast<std::size_t>(total / size) / kDramGrain;
      plan_.working_sets.push_back({MemoryLevel::kDram, size, std::max<std::size_t>(grains, 1) * kDramGrain});
    }
  }

  CalibrationPlan finish() {
    plan_.memory_bytes.assign(static_cast<std::size_t>(plan_.team_sizes.back()), 0);
    for (const WorkingSet& set : plan_.working_sets)
      for (int thread = 0; thread < set.n_threads; ++thread) {
        std::size_t& most = plan_.memory_bytes[static_cast<std::size_t>(thread)];
        most = std::max(most, set.bytes_per_thread);
      }
    return std::move(plan_);
  }

 private:
  double cores_per(const CacheLevel& cache) const {
    return std::max(1.0, static_cast<double>(host_.n_cores) / cache.n_instances);
  }

  /// Memory of all threads over the total of one team: thread t needs total / (smallest team it belongs to).
  double memory_factor() const {
    double factor = 0.0;
    int n_smaller = 0;
    for (const int size : plan_.team_sizes) {
      factor += static_cast<double>(size - n_smaller) / size;
      n_smaller = size;
    }
    return factor;
  }

  void remark(std::string code, std::string text) { plan_.remarks.push_back({std::move(code), std::move(text)}); }

  const HostTopology& host_;
  CalibrationPlan plan_;
  double share_below_ = 0.0;  // a core's share of the cache level planned last
  double last_cache_ = 0.0;   // all instances of it
};

}  // namespace

std::vector<int> calibration_team_sizes(int n) {
  std::vector<int> sizes;
  if (n <= 4) {
    for (int size = 1; size <= n; ++size) sizes.push_back(size);
    return sizes;
  }
  for (int size = 1; size < n; size *= 2) sizes.push_back(size);
  sizes.push_back(n);
  return sizes;
}

CalibrationPlan plan_calibration(const HostTopology& host, int n_threads, double max_memory_bytes) {
  Planner planner(host, n_threads);
  planner.add_cache_level(MemoryLevel::kL1, 1);
  planner.add_cache_level(MemoryLevel::kL2, 2);
  planner.add_cache_level(MemoryLevel::kL3, 3);
  planner.add_dram(max_memory_bytes);
  return planner.finish();
}

}  // namespace dachlast
