#include "core/kv_cache/tier_probe.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "core/base/statistics.h"
#include "core/kv_cache/kv_cache.h"

namespace dachlast {
namespace {

// A median of eleven does not mind a few that were interrupted; a slow disk ends the probe sooner.
constexpr int kRepeats = 11;
constexpr double kMostSeconds = 3.0;

class Probe {
 public:
  Probe(const ModelSpec& model, const KvCacheOptions& options)
      : n_layers_(static_cast<int>(model.layers.size())), cache_(model, options), sequence_(cache_.add()) {}

  /// Seconds of a step behind `n_tokens` tokens.
  double step_s(int n_tokens) {
    fill_to(n_tokens);
    std::vector<double> times_s;
    double sum_s = 0.0;
    while (times_s.size() < kRepeats && sum_s < kMostSeconds) {
      const auto start = std::chrono::steady_clock::now();
      step(1);
      times_s.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      sum_s += times_s.back();
      cache_.truncate(sequence_, n_tokens);
    }
    return median(times_s);
  }

 private:
  void fill_to(int n_tokens) {
    if (const int held = cache_.n_tokens(sequence_); held < n_tokens) step(n_tokens - held);
  }

  void step(int n_new) {
    const std::vector<std::int32_t> ids(static_cast<std::size_t>(n_new), 0);
    const KvAppend entry{sequence_, ids};
    cache_.begin_step({&entry, 1});
    for (int layer = 0; layer < n_layers_; ++layer) {
      cache_.enter_layer(layer);
      cache_.leave_layer(layer);
    }
  }

  int n_layers_;
  KvCache cache_;
  SequenceId sequence_;
};

}  // namespace

TierTiming probe_tier(const ModelSpec& model, const KvCacheOptions& options) {
  const auto n_layers = static_cast<double>(model.layers.size());
  const int chunk = options.spec.block_size;
  const int n_most = options.capacity_tokens - 1;
  const int n_chunks = (n_most + chunk - 1) / chunk;
  Probe probe(model, options);
  const double one_s = probe.step_s(std::min(chunk, n_most)) / n_layers;
  if (n_chunks <= 1) return {.per_layer = Seconds{}, .per_chunk = Seconds{one_s}};
  const double all_s = probe.step_s(n_most) / n_layers;
  const double chunk_s = std::max(0.0, (all_s - one_s) / (n_chunks - 1));
  return {.per_layer = Seconds{std::max(0.0, one_s - chunk_s)}, .per_chunk = Seconds{chunk_s}};
}

}  // namespace dachlast
