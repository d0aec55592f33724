#include "core/hardware/device_roofs.h"

namespace dachlast {
namespace {

/// Whether a roof at `n_threads` says more about `wanted` threads than `best` does: the closest from below.
template <class Roof>
bool is_closer(const Roof& roof, const Roof* best, int wanted) {
  return roof.n_threads <= wanted && (best == nullptr || roof.n_threads > best->n_threads);
}

}  // namespace

std::optional<BytesPerSecond> DeviceRoofs::bandwidth(MemoryLevel level, AccessPattern pattern, int n_threads) const {
  const BandwidthRoof* best = nullptr;
  for (const BandwidthRoof& roof : bandwidths)
    if (roof.level == level && roof.pattern == pattern && is_closer(roof, best, n_threads)) best = &roof;
  if (best == nullptr) return std::nullopt;
  return BytesPerSecond{best->bytes_per_s.max};
}

std::optional<FlopsPerSecond> DeviceRoofs::peak(DType dtype, int n_threads) const {
  const ComputeRoof* best = nullptr;
  for (const ComputeRoof& roof : computes) {
    if (roof.dtype != dtype || roof.n_threads > n_threads) continue;
    const bool faster_twin = best != nullptr && roof.n_threads == best->n_threads && roof.origin == best->origin &&
                             roof.ops_per_s.max > best->ops_per_s.max;
    if (faster_twin || is_closer(roof, best, n_threads)) best = &roof;
  }
  if (best == nullptr) return std::nullopt;
  return FlopsPerSecond{best->ops_per_s.max};
}

}  // namespace dachlast
