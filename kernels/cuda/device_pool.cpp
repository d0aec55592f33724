// Memory pools and graphs of the CUDA runtime. Has not run on a GPU.
#include "kernels/cuda/device_pool.h"

#include <cuda_runtime_api.h>

#include <limits>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace dachlast::kernels::cuda {
namespace {

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw Error(ErrorKind::kDevice, what, cudaGetErrorString(status),
              "`dachlast doctor` says what this computer's driver and devices allow.");
}

const char* name_of(DeviceSegment segment) {
  constexpr const char* names[kDeviceSegmentCount] = {"weights", "KV cache", "activations", "workspace"};
  return names[static_cast<int>(segment)];
}

}  // namespace

DeviceBlock::~DeviceBlock() {
  if (pool_ != nullptr) pool_->give_back(*this);
}

DeviceBlock::DeviceBlock(DeviceBlock&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      bytes_(std::exchange(other.bytes_, {})),
      segment_(other.segment_),
      stream_(other.stream_) {}

DeviceBlock& DeviceBlock::operator=(DeviceBlock&& other) noexcept {
  if (this == &other) return *this;
  if (pool_ != nullptr) pool_->give_back(*this);
  pool_ = std::exchange(other.pool_, nullptr);
  bytes_ = std::exchange(other.bytes_, {});
  segment_ = other.segment_;
  stream_ = other.stream_;
  return *this;
}

DevicePool::DevicePool(int device) {
  cudaMemPoolProps properties{};
  properties.allocType = cudaMemAllocationTypePinned;
  properties.location = {cudaMemLocationTypeDevice, device};
  check(cudaMemPoolCreate(&pool_, &properties), "memory pool");
  std::uint64_t keep = std::numeric_limits<std::uint64_t>::max();  // nothing goes back before the pool does
  check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep), "memory pool");
}

DevicePool::~DevicePool() {
  if (pool_ != nullptr) cudaMemPoolDestroy(pool_);
}

DeviceBlock DevicePool::allocate(std::size_t bytes, DeviceSegment segment, Stream stream) {
  if (bytes == 0) return {};
  void* memory = nullptr;
  const cudaError_t status = cudaMallocFromPoolAsync(&memory, bytes, pool_, stream);
  if (status == cudaErrorMemoryAllocation)
    throw Error(ErrorKind::kDoesNotFit, name_of(segment), std::to_string(bytes) + " bytes do not fit the device.",
                "Plan with a smaller context or batch, or other precision.");
  check(status, name_of(segment));
  ledger_.add(segment, bytes);
  return {this, {static_cast<std::byte*>(memory), bytes}, segment, stream};
}

void DevicePool::let_in(int device) {
  const cudaMemAccessDesc access{{cudaMemLocationTypeDevice, device}, cudaMemAccessFlagsProtReadWrite};
  check(cudaMemPoolSetAccess(pool_, &access, 1), "memory pool");
}

void DevicePool::give_back(const DeviceBlock& block) {
  // A failure here would be one of earlier work, which the next call on the stream reports.
  static_cast<void>(cudaFreeAsync(block.bytes_.data(), block.stream_));
  ledger_.remove(block.segment_, block.bytes_.size());
}

StepCapture::StepCapture(Stream stream) : stream_(stream) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture of a step");
}

StepCapture::~StepCapture() {
  if (!capturing_) return;
  cudaGraph_t graph = nullptr;
  cudaStreamEndCapture(stream_, &graph);  // or the stream could not be used again
  if (graph != nullptr) cudaGraphDestroy(graph);
}

CapturedStep StepCapture::finish() {
  cudaGraph_t graph = nullptr;
  capturing_ = false;
  check(cudaStreamEndCapture(stream_, &graph), "capture of a step");
  CUgraphExec_st* executable = nullptr;
  const cudaError_t status = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(status, "graph of a step");
  return CapturedStep(executable);
}

CapturedStep::CapturedStep(Stream stream, const std::function<void(Stream)>& queue) {
  StepCapture capture(stream);
  queue(stream);
  CapturedStep made = capture.finish();
  graph_ = std::exchange(made.graph_, nullptr);
}

CapturedStep::CapturedStep(CapturedStep&& other) noexcept : graph_(std::exchange(other.graph_, nullptr)) {}

CapturedStep::~CapturedStep() {
  if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
}

void CapturedStep::launch(Stream stream) const {
  check(cudaGraphLaunch(graph_, stream), "graph of a step");
}

}  // namespace dachlast::kernels::cuda
