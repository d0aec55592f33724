#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <functional>

#include "tests/emulation/grid.h"

// Streams, events, graphs and memory of an emulated device. Work on a stream of its own is put off as long as CUDA allows, until
// somebody waits for it, or done as early as CUDA allows. Where a wait is missing, what it should have waited for has not
// happened yet, and the test sees it. The default stream does everything at once, after all that was queued before.
namespace dachlast::emulation {

/// One thing queued.
using Work = std::function<cudaError_t()>;

/// Queues work of any kind: the way of libraries that bring their own.
/// Errors   what the default stream's work returns; else none: a failure comes out of whatever waits next, and of all later
///          calls.
cudaError_t queue(cudaStream_t stream, Work work);

/// Queues a launch; its parameters are copied.
/// Errors   cudaErrorInvalidConfiguration where no GPU would take it.
cudaError_t queue_launch(cudaStream_t stream, const Launch& launch);

/// When streams of their own do their work. Both are what a GPU may do; what a program computes must not depend on it.
enum class QueueOrder {
  kLate,         // when somebody waits for it
  kOthersEarly,  // the same for the stream made first; all others at once
};
void set_queue_order(QueueOrder order);

/// How much memory the device has from now on; allocations beyond it fail.
void set_device_bytes(std::size_t bytes);

/// How many devices the driver finds; 0: there is no driver.
void set_device_count(int n_devices);

/// Whether one device reaches another's memory itself.
enum class PeerPath { kDirect, kThroughHost };
void set_peer_path(PeerPath path);

/// A wait on the `n`-th event from now on is passed over, as if it had been forgotten; 0: none is.
void leave_out_wait(int n);
/// Waits on events since the beginning.
int n_event_waits();

/// Graphs launched since the beginning.
int n_graph_launches();

/// Forgets a failure, which a real device would keep until the process ends.
void forget_failure();

}  // namespace dachlast::emulation
