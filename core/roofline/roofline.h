#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/dtype.h"
#include "core/base/op_cost.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"

namespace dachlast {

/// What holds an operation, a point, a phase or a run back. A `Roofline` alone only knows the first two.
enum class Bound : std::uint8_t { kMemory, kCompute, kNearRidge, kLatency };

/// Name as machine formats spell it.
constexpr std::string_view name_of(Bound bound) {
  constexpr std::string_view names[] = {"memory", "compute", "near_ridge", "latency"};
  return names[static_cast<int>(bound)];
}

/// Name as people read it.
constexpr std::string_view display_name_of(Bound bound) {
  constexpr std::string_view names[] = {"memory-bound", "compute-bound", "near ridge", "latency-bound"};
  return names[static_cast<int>(bound)];
}

/// The horizontal roof that applies. `dtype` is the roof's own; `remark` says why where it is not the one asked for.
struct ComputeCeiling {
  DType dtype = DType::kF32;
  FlopsPerSecond peak;
  std::string remark;  // empty: the roof of the dtype and the threads asked for
};

/// The slanted roof that applies: the read bandwidth of one memory level.
struct MemoryCeiling {
  MemoryLevel level = MemoryLevel::kDram;
  BytesPerSecond bandwidth;
  std::string remark;  // empty: the roof of the level and the threads asked for
};

/// The compute roof of `dtype` at `n_threads`. A CPU without instructions for a dtype widens it to f32 before it
/// multiplies, so a missing bf16, f16 or int8 roof is replaced by the f32 one, with a remark.
/// Errors   throws `Error` (kDevice) naming device, dtype and threads where f32 is missing too.
ComputeCeiling compute_ceiling(const DeviceRoofs& roofs, DType dtype, int n_threads);

/// The read roof of `level` at `n_threads`: inference reads far more than it writes. A cache level that was not
/// measured is replaced by the next one outwards, with a remark.
/// Errors   throws `Error` (kDevice) naming device, level and threads where DRAM is missing too.
MemoryCeiling memory_ceiling(const DeviceRoofs& roofs, MemoryLevel level, int n_threads);

/// The innermost of L2, L3 and DRAM that holds `working_set`, given the caches `n_threads` pinned threads reach. L1 is
/// never chosen: data passes between threads and operations, so it is not where a step finds it. A cache whose size the
/// OS hides holds nothing.
MemoryLevel level_holding(Bytes working_set, const HostTopology& host, int n_threads);

/// The level that feeds one call of an operation. Weights and KV cache pass by once per step, so they come from the
/// level that holds all weights and cache of `step`; activations were just written by the operation before, so they
/// come from the level that holds the traffic of `call`. The kind with more bytes decides.
MemoryLevel level_feeding(const OpCost& call, const OpCost& step, const HostTopology& host, int n_threads);

/// The two ceilings of one device for one dtype, memory level and thread count.
/// Source   Williams, Waterman & Patterson 2009, doi:10.1145/1498765.1498785.
class Roofline {
 public:
  Roofline(ComputeCeiling compute, MemoryCeiling memory);

  /// Errors   as `compute_ceiling` and `memory_ceiling`.
  Roofline(const DeviceRoofs& roofs, DType dtype, MemoryLevel level, int n_threads);

  const ComputeCeiling& compute() const { return compute_; }
  const MemoryCeiling& memory() const { return memory_; }

  /// Arithmetic intensity where the ceilings meet, in FLOP/byte: peak / bandwidth.
  Intensity ridge_point() const { return compute_.peak / memory_.bandwidth; }

  /// min(peak, intensity · bandwidth).
  FlopsPerSecond attainable(Intensity intensity) const;

  /// Memory-bound strictly left of the ridge point, compute-bound on it and right of it.
  Bound bound(Intensity intensity) const;

  /// Least time `cost` can take: no launch overhead, full overlap of compute and traffic.
  Seconds least_time(const OpCost& cost) const;

 private:
  ComputeCeiling compute_;
  MemoryCeiling memory_;
};

}  // namespace dachlast
