#include "tests/emulation/queues.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "tests/emulation/memory.h"

struct CUstream_st {
  std::deque<dachlast::emulation::Work> waiting;
  std::size_t n_queued = 0;
  std::size_t n_done = 0;
  CUgraph_st* captured = nullptr;  // where it is being captured
};

struct CUgraph_st {
  std::vector<dachlast::emulation::Work> nodes;
};

struct CUgraphExec_st {
  std::vector<dachlast::emulation::Work> nodes;
};

namespace dachlast::emulation {
namespace {

struct Device {
  std::vector<CUstream_st*> streams;
  cudaError_t failure = cudaSuccess;
  int n_waits = 0;
  int left_out_wait = 0;
  int n_graph_launches = 0;
};

Device& device() {
  static Device the_device;
  return the_device;
}

cudaError_t note(cudaError_t status) {
  if (device().failure == cudaSuccess) device().failure = status;
  return status;
}

/// Does the stream's work up to the `n`-th ever queued on it.
cudaError_t drain(CUstream_st& stream, std::size_t n) {
  while (stream.n_done < n && !stream.waiting.empty()) {
    const Work work = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    ++stream.n_done;
    if (device().failure == cudaSuccess) note(work());
  }
  return device().failure;
}

cudaError_t drain_all() {
  const std::vector<CUstream_st*> streams = device().streams;
  for (CUstream_st* stream : streams) drain(*stream, stream->n_queued);
  return device().failure;
}

}  // namespace

cudaError_t queue(cudaStream_t stream, Work work) {
  if (device().failure != cudaSuccess) return device().failure;
  if (stream == nullptr) {
    if (const cudaError_t status = drain_all(); status != cudaSuccess) return status;
    return work();
  }
  if (stream->captured != nullptr) {
    stream->captured->nodes.push_back(std::move(work));
    return cudaSuccess;
  }
  stream->waiting.push_back(std::move(work));
  ++stream->n_queued;
  return cudaSuccess;
}

cudaError_t queue_launch(cudaStream_t stream, const Launch& launch) {
  if (stream == nullptr) {
    if (const cudaError_t status = drain_all(); status != cudaSuccess) return status;
    return run(launch);
  }
  if (!acceptable(launch)) return run(launch);
  const auto* const bytes = static_cast<const std::byte*>(launch.parameters);
  auto kept = std::make_shared<std::vector<std::max_align_t>>(launch.parameter_bytes / sizeof(std::max_align_t) + 1);
  std::memcpy(kept->data(), bytes, launch.parameter_bytes);
  return queue(stream, [launch, kept] {
    Launch own = launch;
    own.parameters = kept->data();
    return run(own);
  });
}

void leave_out_wait(int n) {
  device().left_out_wait = n == 0 ? 0 : device().n_waits + n;
}
int n_event_waits() {
  return device().n_waits;
}
int n_graph_launches() {
  return device().n_graph_launches;
}
void forget_failure() {
  device().failure = cudaSuccess;
}

}  // namespace dachlast::emulation

namespace emulation = dachlast::emulation;

/// Marks the place behind the work that was queued when it was recorded.
struct CUevent_st {
  CUstream_st* stream = nullptr;
  std::size_t place = 0;
  double recorded_ms = -1.0;  // when that work was done
};

namespace {

/// Counts what the emulated device does: time has no other meaning here, and so never stands still or goes back.
double next_tick_ms() {
  static double ticks = 0.0;
  return ticks += 1e-3;
}

emulation::Work stamping(CUevent_st* event) {
  return [event] {
    event->recorded_ms = next_tick_ms();
    return cudaSuccess;
  };
}

}  // namespace

extern "C" {

// ---- streams

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new CUstream_st;
  emulation::device().streams.push_back(*stream);
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  const cudaError_t status = emulation::drain(*stream, stream->n_queued);
  std::erase(emulation::device().streams, stream);
  delete stream;
  return status;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  if (stream == nullptr) return emulation::drain_all();
  if (stream->captured != nullptr) return cudaErrorStreamCaptureUnsupported;
  return emulation::drain(*stream, stream->n_queued);
}
cudaError_t cudaDeviceSynchronize() {
  return emulation::drain_all();
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  if (++emulation::device().n_waits == emulation::device().left_out_wait) return cudaSuccess;
  if (event->stream == nullptr) return cudaSuccess;  // never recorded: nothing to wait for
  return emulation::queue(stream,
                          [other = event->stream, place = event->place] { return emulation::drain(*other, place); });
}

// ---- events

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new CUevent_st;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned) {
  const cudaError_t status = emulation::queue(stream, stamping(event));
  event->stream = stream;
  event->place = stream == nullptr ? 0 : stream->n_queued;
  return status;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return cudaEventRecordWithFlags(event, stream, 0);
}
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
  if (start->recorded_ms < 0.0 || end->recorded_ms < 0.0) return cudaErrorNotReady;
  *ms = static_cast<float>(end->recorded_ms - start->recorded_ms);
  return cudaSuccess;
}

// ---- graphs

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  if (stream == nullptr || stream->captured != nullptr) return cudaErrorStreamCaptureUnsupported;
  stream->captured = new CUgraph_st;
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  if (stream->captured == nullptr) return cudaErrorIllegalState;
  *graph = std::exchange(stream->captured, nullptr);
  return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new CUgraphExec_st{graph->nodes};
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  delete executable;
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  ++emulation::device().n_graph_launches;
  for (const emulation::Work& work : executable->nodes)
    if (const cudaError_t status = emulation::queue(stream, work); status != cudaSuccess) return status;
  return cudaSuccess;
}
}
