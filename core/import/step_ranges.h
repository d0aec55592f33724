#pragma once

#include <cstdint>
#include <vector>

#include "core/import/launch_links.h"
#include "core/profile/gpu_trace.h"

namespace dachlast {

/// The annotated steps of a recording. A step inside another one is part of it: engines nest a short name in a long one.
class StepRanges {
 public:
  void add(TraceStep step, const HostRange& range);

  /// Keeps the outermost steps, in order of thread and start. Call once, after the last `add`.
  void finish();

  /// Position in `steps()` of the step around a moment on a thread, or kNoIndex.
  std::int32_t around(std::uint64_t thread, std::int64_t at_ns) const;

  const std::vector<TraceStep>& steps() const { return steps_; }
  std::vector<TraceStep> take() && { return std::move(steps_); }

 private:
  std::vector<TraceStep> steps_;
  std::vector<HostRange> ranges_;
  std::vector<std::int32_t> parents_;
};

}  // namespace dachlast
