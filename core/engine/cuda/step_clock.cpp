#include "core/engine/cuda/step_clock.h"

namespace dachlast {

void StepClock::begin(kernels::cuda::Stream stream) {
  n_ops_ = 0;
  begin_.record(stream);
}

void StepClock::before_ops(kernels::cuda::Stream stream, Queued queued) {
  if (times_ == OpTimes::kEach) mark(stream, queued, 0);
}

void StepClock::after_op(kernels::cuda::Stream stream, Queued queued) {
  ++n_ops_;
  if (times_ == OpTimes::kEach) mark(stream, queued, static_cast<std::size_t>(n_ops_));
}

void StepClock::mark(kernels::cuda::Stream stream, Queued queued, std::size_t number) {
  while (marks_.size() <= number) marks_.emplace_back(kernels::cuda::EventUse::kTiming);
  if (queued == Queued::kInGraph)
    marks_[number].record_in_graph(stream);
  else
    marks_[number].record(stream);
}

void StepClock::end(kernels::cuda::Stream stream) {
  end_.record(stream);
}

void StepClock::read() {
  step_ = DeviceTime{Seconds{}, end_.since(begin_)};
  ops_.clear();
  if (times_ == OpTimes::kOff) return;
  Seconds begin = marks_.front().since(begin_);
  for (int i = 1; i <= n_ops_; ++i) {
    const Seconds end = marks_[static_cast<std::size_t>(i)].since(begin_);
    ops_.push_back({begin, end});
    begin = end;
  }
}

}  // namespace dachlast
