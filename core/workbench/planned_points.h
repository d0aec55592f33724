#pragma once

#include <vector>

#include "core/workbench/run_request.h"

namespace dachlast {

/// A point for every batch, context and phase that was asked for, in this order; what each takes is left open.
std::vector<PlannedPoint> planned_points(const RunRequest& request, const std::vector<int>& contexts,
                                         const std::vector<int>& batches);

/// The step that a point repeats: its prompt behind the depth, or a token; all of its text where nothing is cached.
Step step_of(const PlannedPoint& point, KvPolicy policy);

/// Keeps the breakdown that needs most.
void keep_larger(RunPlan& plan, std::vector<MemorySegment> segments);

}  // namespace dachlast
