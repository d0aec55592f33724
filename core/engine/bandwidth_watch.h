#pragma once

#include <vector>

#include "core/engine/probe_runner.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"

namespace dachlast {

/// Probes DRAM read bandwidth between the points of a run. Memory is shared with other tenants of a host and drifts
/// within the hour by a factor of two; steps are only judged fairly against the roof of the same minutes.
/// Memory   four times the last cache, at least 256 MiB, over all threads; freed with the watch.
/// Threads  one caller at a time, on the thread that measures.
class BandwidthWatch {
 public:
  /// Errors   throws `Error` (kDoesNotFit) where there is no memory for the probe.
  BandwidthWatch(const HostTopology& host, int n_threads);

  /// What the probe of `host` will hold.
  static Bytes memory_for(const HostTopology& host, int n_threads);

  /// Nine passes, about 80 ms: what the memory gives now. The best of them is kept for `roof`.
  /// Numbers  the median, as a step meets it: other tenants slow some passes, as they slow some of its reads.
  BytesPerSecond probe();

  /// The roof of this run: the most of the probes, with their median and least. At least one `probe` went before.
  BandwidthRoof roof() const;

 private:
  int n_threads_;
  std::size_t bytes_per_thread_;
  ProbeRunner runner_;
  std::vector<double> rates_;
};

}  // namespace dachlast
