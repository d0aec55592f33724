#include "core/import/step_ranges.h"

namespace dachlast {

void StepRanges::add(TraceStep step, const HostRange& range) {
  step.start_ns = range.start_ns;
  step.end_ns = range.end_ns;
  steps_.push_back(std::move(step));
  ranges_.push_back(range);
}

void StepRanges::finish() {
  const std::vector<std::uint32_t> order = nesting_order(ranges_);
  std::vector<HostRange> nested;
  for (const std::uint32_t index : order) nested.push_back(ranges_[index]);
  const std::vector<std::int32_t> parents = parents_of(nested);
  std::vector<TraceStep> steps;
  ranges_.clear();
  for (std::size_t i = 0; i < nested.size(); ++i) {
    if (parents[i] != kNoIndex) continue;
    ranges_.push_back(nested[i]);
    steps.push_back(std::move(steps_[order[i]]));
  }
  steps_ = std::move(steps);
  parents_.assign(ranges_.size(), kNoIndex);
}

std::int32_t StepRanges::around(std::uint64_t thread, std::int64_t at_ns) const {
  return RangeFinder(ranges_, parents_).innermost(thread, at_ns);
}

}  // namespace dachlast
