#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/engine/step_runner.h"
#include "kernels/cuda/runtime.h"

namespace dachlast {

/// Whether work runs when its turn comes, or is taken down for a graph.
enum class Queued { kNow, kInGraph };

/// Takes the time of steps with events in the queue, and of their operations where that is asked for. One event lies between two
/// operations: a gap between their kernels counts with the second one.
/// Source   half a microsecond: NVIDIA CUDA runtime API, cudaEventElapsedTime.
class StepClock {
 public:
  void time_operations(OpTimes times) { times_ = times; }
  OpTimes operations() const { return times_; }

  void begin(kernels::cuda::Stream stream);
  /// The first operation follows.
  void before_ops(kernels::cuda::Stream stream, Queued queued);
  void after_op(kernels::cuda::Stream stream, Queued queued);
  /// A graph that sets the marks of so many operations is launched as a whole.
  void replayed(int n_ops) { n_ops_ = n_ops; }
  void end(kernels::cuda::Stream stream);
  /// Reads the marks; all of the step is done.
  void read();

  int n_ops() const { return n_ops_; }
  std::optional<DeviceTime> step_time() const { return step_; }
  std::span<const DeviceTime> op_times() const { return ops_; }

 private:
  void mark(kernels::cuda::Stream stream, Queued queued, std::size_t number);

  OpTimes times_ = OpTimes::kOff;
  kernels::cuda::DeviceEvent begin_{kernels::cuda::EventUse::kTiming};
  kernels::cuda::DeviceEvent end_{kernels::cuda::EventUse::kTiming};
  std::vector<kernels::cuda::DeviceEvent> marks_;  // before operation i
  int n_ops_ = 0;
  std::optional<DeviceTime> step_;
  std::vector<DeviceTime> ops_;
};

}  // namespace dachlast
