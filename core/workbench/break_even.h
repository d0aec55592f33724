#pragma once

#include <stop_token>

#include "core/model/weights.h"
#include "core/workbench/workbench.h"

namespace dachlast {

/// Fetching the K and V of earlier tokens against computing them anew, at every context of a plan: predicted from the tier
/// as probed and the rate of one prefill, then measured by running decode steps of batch 1 both ways.
/// Errors   as `Engine`. Where it is stopped the points so far are returned.
KvBreakEven measure_break_even(const RunPlan& plan, const Weights& weights, JobObserver& observer,
                               const std::stop_token& stop);

}  // namespace dachlast
