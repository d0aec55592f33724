#pragma once

#include <vector>

#include "core/base/op_cost.h"
#include "core/hardware/device_roofs.h"
#include "core/hardware/host.h"
#include "core/model/op_list.h"

namespace dachlast {

/// The device a step is predicted for: its roofs, its caches, and the threads at work.
struct PredictionTarget {
  const DeviceRoofs& roofs;
  const HostTopology& host;
  int n_threads = 1;
};

/// Work and traffic of a whole step.
OpCost cost_of(const std::vector<Op>& ops);

/// Least time of one step: Σ over operations of max(FLOP / peak, bytes / bandwidth), each operation against the roof of
/// the arithmetic its kernel uses and of the memory level that feeds it. Neither launch nor efficiency: real steps take
/// longer.
/// Errors   throws `Error` (kDevice) where the roofs lack what the step needs.
Seconds predict_step(const std::vector<Op>& ops, const PredictionTarget& target);

}  // namespace dachlast
