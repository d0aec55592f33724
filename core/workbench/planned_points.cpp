#include "core/workbench/planned_points.h"

#include <utility>

#include "core/memory/memory_model.h"

namespace dachlast {

std::vector<PlannedPoint> planned_points(const RunRequest& request, const std::vector<int>& contexts,
                                         const std::vector<int>& batches) {
  std::vector<PlannedPoint> points;
  for (const int batch : batches)
    for (const int context : contexts)
      for (const Phase phase : request.phases)
        points.push_back({.phase = phase,
                          .context_tokens = context,
                          .depth_tokens = phase == Phase::kPrefill ? request.depth_tokens : 0,
                          .batch_size = batch,
                          .expected = {}});
  return points;
}

Step step_of(const PlannedPoint& point, KvPolicy policy) {
  const bool whole = point.phase == Phase::kPrefill || policy == KvPolicy::kNone;
  return {.phase = point.phase,
          .batch_size = point.batch_size,
          .q_len = whole ? point.context_tokens - point.depth_tokens : 1,
          .kv_len = point.context_tokens};
}

void keep_larger(RunPlan& plan, std::vector<MemorySegment> segments) {
  const double bytes = total_bytes(segments).value;
  if (bytes <= plan.needed_bytes) return;
  plan.needed_bytes = bytes;
  plan.memory = std::move(segments);
}

}  // namespace dachlast
