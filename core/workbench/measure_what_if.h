#pragma once

#include <stop_token>

#include "core/model/weights.h"
#include "core/workbench/workbench.h"

namespace dachlast {

/// Runs the points of a run under a what-if once more as the model is, and puts both beside each other.
/// Errors   as `Engine`. Where it is stopped the points so far are returned.
WhatIfRun measure_what_if(const RunPlan& plan, const Run& run, const Weights& weights, JobObserver& observer,
                          const std::stop_token& stop);

}  // namespace dachlast
