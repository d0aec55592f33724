#include "core/roofline/roofline.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

std::string threads_text(int n_threads) {
  return fmt::format("{} thread{}", n_threads, n_threads == 1 ? "" : "s");
}

[[noreturn]] void throw_missing_roof(const DeviceRoofs& roofs, std::string_view what, int n_threads) {
  throw Error(ErrorKind::kDevice, roofs.device.empty() ? "device roofs" : roofs.device,
              fmt::format("no {} roof is known for {}.", what, threads_text(n_threads)),
              "Measure the roofs with `dachlast calibrate`.");
}

/// What to say where the roof was measured with fewer threads than the run had: the closest from below stands in for
/// it.
template <class Roof, class Applies>
std::string thread_remark(const std::vector<Roof>& roofs, int n_threads, Applies applies) {
  int measured = 0;
  for (const Roof& roof : roofs)
    if (applies(roof) && roof.n_threads <= n_threads) measured = std::max(measured, roof.n_threads);
  if (measured == n_threads) return {};
  return fmt::format("The roof was measured with {}, not with {}.", threads_text(measured), n_threads);
}

std::string remark_of(const DeviceRoofs& roofs, DType dtype, int n_threads) {
  return thread_remark(roofs.computes, n_threads, [&](const ComputeRoof& roof) { return roof.dtype == dtype; });
}

std::string remark_of(const DeviceRoofs& roofs, MemoryLevel level, int n_threads) {
  return thread_remark(roofs.bandwidths, n_threads, [&](const BandwidthRoof& roof) {
    return roof.level == level && roof.pattern == AccessPattern::kRead;
  });
}

/// Bytes of one cache level that `n_threads` threads, pinned to one core each in order, have between them.
double reachable_cache_bytes(const CacheLevel& cache, const HostTopology& host, int n_threads) {
  const int cores_per_cache = std::max(1, host.n_cores / std::max(1, cache.n_instances));
  const int n_reached = std::min(cache.n_instances, (n_threads + cores_per_cache - 1) / cores_per_cache);
  return cache.size_bytes * n_reached;
}

}  // namespace

ComputeCeiling compute_ceiling(const DeviceRoofs& roofs, DType dtype, int n_threads) {
  if (const auto peak = roofs.peak(dtype, n_threads)) return {dtype, *peak, remark_of(roofs, dtype, n_threads)};
  const auto widened = dtype == DType::kF32 ? std::nullopt : roofs.peak(DType::kF32, n_threads);
  if (!widened) throw_missing_roof(roofs, fmt::format("{} compute", display_name_of(dtype)), n_threads);
  return {DType::kF32, *widened,
          fmt::format("No {} compute roof on this device: held against the {} one.", display_name_of(dtype),
                      display_name_of(DType::kF32))};
}

MemoryCeiling memory_ceiling(const DeviceRoofs& roofs, MemoryLevel level, int n_threads) {
  for (int i = static_cast<int>(level); i <= static_cast<int>(MemoryLevel::kDram); ++i) {
    const auto found = static_cast<MemoryLevel>(i);
    const auto bandwidth = roofs.bandwidth(found, AccessPattern::kRead, n_threads);
    if (!bandwidth) continue;
    if (found == level) return {level, *bandwidth, remark_of(roofs, level, n_threads)};
    return {
        found, *bandwidth,
        fmt::format("No {} bandwidth roof on this device: held against the {} one.", name_of(level), name_of(found))};
  }
  throw_missing_roof(roofs, fmt::format("{} bandwidth", name_of(level)), n_threads);
}

MemoryLevel level_holding(Bytes working_set, const HostTopology& host, int n_threads) {
  for (const CacheLevel& cache : host.caches) {
    if (cache.level != 2 && cache.level != 3) continue;
    if (working_set.value <= reachable_cache_bytes(cache, host, n_threads))
      return cache.level == 2 ? MemoryLevel::kL2 : MemoryLevel::kL3;
  }
  return MemoryLevel::kDram;
}

MemoryLevel level_feeding(const OpCost& call, const OpCost& step, const HostTopology& host, int n_threads) {
  const auto resident = [](const OpCost& cost) { return cost.bytes() - cost.activation_bytes; };
  if (call.activation_bytes > resident(call)) return level_holding(call.bytes(), host, n_threads);
  return level_holding(resident(step), host, n_threads);
}

Roofline::Roofline(ComputeCeiling compute, MemoryCeiling memory)
    : compute_(std::move(compute)), memory_(std::move(memory)) {}

Roofline::Roofline(const DeviceRoofs& roofs, DType dtype, MemoryLevel level, int n_threads)
    : Roofline(compute_ceiling(roofs, dtype, n_threads), memory_ceiling(roofs, level, n_threads)) {}

FlopsPerSecond Roofline::attainable(Intensity intensity) const {
  return std::min(compute_.peak, intensity * memory_.bandwidth);
}

Bound Roofline::bound(Intensity intensity) const {
  return intensity < ridge_point() ? Bound::kMemory : Bound::kCompute;
}

Seconds Roofline::least_time(const OpCost& cost) const {
  return std::max(cost.flops / compute_.peak, cost.bytes() / memory_.bandwidth);
}

}  // namespace dachlast
