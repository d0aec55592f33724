#include "core/roofline/speedup.h"

#include <algorithm>

#include "core/base/statistics.h"

namespace dachlast {
namespace {

const MeasuredPoint* uncached_twin(const Run& run, const MeasuredPoint& cached) {
  for (const MeasuredPoint& point : run.points)
    if (point.phase == Phase::kDecode && point.kv_policy == KvPolicy::kNone &&
        point.context_tokens == cached.context_tokens && point.batch_size == cached.batch_size)
      return &point;
  return nullptr;
}

}  // namespace

std::vector<CacheSpeedup> cache_speedups(const UncachedComparison& comparison) {
  const std::size_t n = std::min(comparison.cached_s.size(), comparison.uncached_s.size());
  std::vector<CacheSpeedup> series;
  series.reserve(n);
  Seconds cached_total;
  Seconds uncached_total;
  for (std::size_t i = 0; i < n; ++i) {
    const Seconds cached{comparison.cached_s[i]};
    const Seconds uncached{comparison.uncached_s[i]};
    if (!(cached.value > 0.0 && uncached.value > 0.0)) break;
    cached_total += cached;
    uncached_total += uncached;
    series.push_back({.n_generated = static_cast<int>(i) + 1,
                      .sequence_tokens = comparison.prompt_tokens + static_cast<int>(i),
                      .cached = cached,
                      .uncached = uncached,
                      .speedup = uncached / cached,
                      .cached_total = cached_total,
                      .uncached_total = uncached_total,
                      .total_speedup = uncached_total / cached_total});
  }
  return series;
}

std::vector<DecodeSpeedup> decode_speedups(const Run& run) {
  std::vector<DecodeSpeedup> speedups;
  for (const MeasuredPoint& cached : run.points) {
    if (cached.phase != Phase::kDecode || cached.kv_policy == KvPolicy::kNone || cached.samples_s.empty()) continue;
    const MeasuredPoint* uncached = uncached_twin(run, cached);
    if (uncached == nullptr || uncached->samples_s.empty()) continue;
    const Seconds with{median(cached.samples_s)};
    const Seconds without{median(uncached->samples_s)};
    if (!(with.value > 0.0)) continue;
    speedups.push_back({cached.context_tokens, cached.batch_size, with, without, without / with});
  }
  return speedups;
}

}  // namespace dachlast
