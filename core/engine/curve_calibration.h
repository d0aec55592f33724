#pragma once

#include <functional>
#include <stop_token>

#include "core/engine/calibration.h"
#include "core/engine/curve_probes.h"
#include "core/model/op_curves.h"

namespace dachlast {

/// Times the operations of the probes with the engine itself, so that all it does is in the figures: threads that are
/// woken, rows that are packed, caches that are shared. DRAM is probed before and after each point: its rate stands
/// beside the times, which hold for that rate only.
/// Errors   throws `Error`: kInterrupted when stopped, kDoesNotFit where memory is refused.
HostCurves calibrate_curves(const HostTopology& host, std::span<const CurveProbe> probes, int n_threads,
                            std::stop_token stop = {},
                            const std::function<void(const CalibrationProgress&)>& progress = {});

}  // namespace dachlast
