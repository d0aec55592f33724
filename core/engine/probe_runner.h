#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/base/thread_pool.h"
#include "core/base/units.h"
#include "kernels/probe/bandwidth.h"
#include "kernels/probe/peak.h"

namespace dachlast {

/// Memory of one thread for bandwidth probes, on huge pages where the OS grants them: a 4 KiB page costs a table walk
/// every 64 cache lines and a fifth of the DRAM bandwidth.
class ProbeMemory {
 public:
  /// Errors   throws `Error` (kDoesNotFit) where the OS refuses.
  explicit ProbeMemory(std::size_t n_bytes);

  std::span<float> floats() const { return {start_, n_floats_}; }

 private:
  struct Unmap {
    std::size_t n_bytes;
    void operator()(void* mapping) const;
  };
  std::unique_ptr<void, Unmap> mapping_{nullptr, Unmap{0}};
  float* start_ = nullptr;
  std::size_t n_floats_ = 0;
};

/// Cuts the arrays of a pattern out of `memory`, `n_bytes` together, rounded to whole granules and at least one.
/// Array starts lie five cache lines apart modulo the page size: with equal offsets a store and the loads behind it
/// would share their lower 12 address bits, which CPUs mistake for a dependence.
kernels::ProbeArrays cut_arrays(std::span<float> memory, kernels::ProbePattern pattern, std::size_t n_bytes);

/// Bytes of memory that `cut_arrays` needs to hand out `n_bytes`, for any pattern.
std::size_t probe_memory_bytes(std::size_t n_bytes);

/// Runs probes on teams of pinned threads. Thread t has memory of its own, first touched by itself, so that it lies on
/// its NUMA node; teams of different size share it.
/// Threads  one caller at a time.
class ProbeRunner {
 public:
  /// `core_ids`: where threads are pinned. `team_sizes`: ascending, the last at most core_ids.size().
  /// `memory_bytes[t]`: the most that thread t is asked to work on.
  ProbeRunner(std::span<const int> core_ids, std::span<const int> team_sizes,
              std::span<const std::size_t> memory_bytes);

  /// Wall time from the first thread's start to the last one's end, all starting together; every thread makes
  /// `n_passes` over `n_bytes` of its own memory.
  Seconds time_passes(const kernels::BandwidthVariant& probe, int n_threads, std::size_t n_bytes,
                      std::int64_t n_passes);

  /// The same for a peak probe of `n_rounds` rounds.
  Seconds time_rounds(const kernels::PeakVariant& probe, int n_threads, std::int64_t n_rounds);

  /// Whether every thread really ran on its core when it touched its memory.
  bool is_pinned() const { return is_pinned_; }

 private:
  template <class Work>
  Seconds time_team(int n_threads, Work work);
  ThreadPool& team(int n_threads);

  std::vector<std::unique_ptr<ThreadPool>> teams_;
  std::vector<ProbeMemory> memory_;
  bool is_pinned_ = false;
};

}  // namespace dachlast
