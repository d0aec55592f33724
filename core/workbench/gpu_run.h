#pragma once

#include <vector>

#include "core/workbench/run_request.h"

namespace dachlast {

/// Errors   throws `Error` (kUsage) for what is measured on the CPU only.
void refuse_on_gpu(const RunRequest& request);

/// Device, roofs, points and memory of a plan whose request names a GPU: in the place of what a computer is described by stands
/// the GPU. Measures its roofs, in less than a second.
void plan_on_gpu(RunPlan& plan, const std::vector<int>& contexts, const std::vector<int>& batches);

/// Whether a run was measured on a GPU.
bool measured_on_gpu(const Run& run);

/// What the run holds there now, beside what was planned for a point of it.
MemoryReading memory_on_gpu(const RunPlan& plan, const PlannedPoint& point);

}  // namespace dachlast
