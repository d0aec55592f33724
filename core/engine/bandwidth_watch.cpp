#include "core/engine/bandwidth_watch.h"

#include <algorithm>
#include <string>

#include "core/base/statistics.h"
#include "kernels/probe/bandwidth.h"

namespace dachlast {
namespace {

constexpr double kLeastProbeBytes = 256.0 * kMiB;
constexpr int kPasses = 9;

std::size_t probe_bytes(const HostTopology& host, int n_threads) {
  double last_cache = 0.0;
  for (const auto& cache : host.caches) last_cache = std::max(last_cache, cache.size_bytes * cache.n_instances);
  return static_cast<std::size_t>(std::max(4.0 * last_cache, kLeastProbeBytes)) / static_cast<std::size_t>(n_threads);
}

/// Threads beyond one per core have no core of their own to be pinned to: the probe uses as many as there are cores.
int probe_threads(const HostTopology& host, int n_threads) {
  return std::clamp(n_threads, 1, std::max(1, static_cast<int>(host.core_ids.size())));
}

std::vector<std::size_t> memory_of_team(std::size_t bytes_per_thread, int n_threads) {
  return std::vector<std::size_t>(static_cast<std::size_t>(n_threads), probe_memory_bytes(bytes_per_thread));
}

}  // namespace

BandwidthWatch::BandwidthWatch(const HostTopology& host, int n_threads)
    : n_threads_(probe_threads(host, n_threads)),
      bytes_per_thread_(probe_bytes(host, n_threads_)),
      runner_(host.core_ids, std::vector<int>{n_threads_}, memory_of_team(bytes_per_thread_, n_threads_)) {}

Bytes BandwidthWatch::memory_for(const HostTopology& host, int n_threads) {
  const int n_probe_threads = probe_threads(host, n_threads);
  return {static_cast<double>(probe_memory_bytes(probe_bytes(host, n_probe_threads))) * n_probe_threads};
}

BytesPerSecond BandwidthWatch::probe() {
  const auto* read = kernels::bandwidth_variant_for(kernels::ProbePattern::kRead, kernels::StoreKind::kCached);
  const double total_bytes = static_cast<double>(bytes_per_thread_) * n_threads_;
  std::vector<double> rates;
  for (int pass = 0; pass < kPasses; ++pass)
    rates.push_back(total_bytes / runner_.time_passes(*read, n_threads_, bytes_per_thread_, 1).value);
  // An interrupted pass says nothing about the memory, so that the best is its roof.
  rates_.push_back(*std::ranges::max_element(rates));
  return {median(rates)};
}

BandwidthRoof BandwidthWatch::roof() const {
  const auto [least, most] = std::minmax_element(rates_.begin(), rates_.end());
  return {.level = MemoryLevel::kDram,
          .pattern = AccessPattern::kRead,
          .n_threads = n_threads_,
          .working_set_bytes = static_cast<double>(bytes_per_thread_) * n_threads_,
          .bytes_per_s = {.median = median(rates_), .min = *least, .max = *most, .n = static_cast<int>(rates_.size())},
          .origin = Origin::kMeasured,
          .probe = std::string(
              kernels::bandwidth_variant_for(kernels::ProbePattern::kRead, kernels::StoreKind::kCached)->name)};
}

}  // namespace dachlast
