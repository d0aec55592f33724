// Queues, events and copies of the CUDA runtime. Has not run on a GPU.
#include "kernels/cuda/runtime.h"

#include <cuda_runtime_api.h>

#include <array>
#include <memory>
#include <utility>

#include "core/base/error.h"

namespace dachlast::kernels::cuda {
namespace {

constexpr const char* kWayOut = "`dachlast doctor` says what this computer's driver and devices allow.";

void check(cudaError_t status, const std::string& what) {
  if (status != cudaSuccess) throw Error(ErrorKind::kDevice, what, cudaGetErrorString(status), kWayOut);
}

int attribute(cudaDeviceAttr which, int device) {
  int value = 0;
  check(cudaDeviceGetAttribute(&value, which, device), "CUDA device");
  return value;
}

}  // namespace

int count_devices() {
  int n_devices = 0;
  check(cudaGetDeviceCount(&n_devices), "CUDA device");
  return n_devices;
}

OnDevice::OnDevice(int index) {
  check(cudaGetDevice(&before_), "CUDA device");
  check(cudaSetDevice(index), "CUDA device " + std::to_string(index));
}

OnDevice::~OnDevice() {
  cudaSetDevice(before_);
}

PeerPath peer_path(int from, int to) {
  int direct = 0;
  check(cudaDeviceCanAccessPeer(&direct, from, to), "CUDA device");
  return direct != 0 ? PeerPath::kDirect : PeerPath::kThroughHost;
}

DeviceFacts select_device(int index) {
  const int n_devices = count_devices();
  if (index < 0 || index >= n_devices)
    throw Error(ErrorKind::kDevice, "CUDA device " + std::to_string(index),
                "The driver knows " + std::to_string(n_devices) + ", numbered from 0.", kWayOut);
  check(cudaSetDevice(index), "CUDA device");
  DeviceFacts facts;
  facts.index = index;
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "CUDA device");
  facts.name = properties.name;
  std::array<char, 32> pci_bus_id{};
  check(cudaDeviceGetPCIBusId(pci_bus_id.data(), static_cast<int>(pci_bus_id.size()), index), "CUDA device");
  facts.pci_bus_id = pci_bus_id.data();
  facts.compute_capability =
      10 * attribute(cudaDevAttrComputeCapabilityMajor, index) + attribute(cudaDevAttrComputeCapabilityMinor, index);
  facts.n_multiprocessors = attribute(cudaDevAttrMultiProcessorCount, index);
  check(cudaMemGetInfo(&facts.free_bytes, &facts.memory_bytes), "CUDA device");
  return facts;
}

DeviceQueue::DeviceQueue() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "CUDA stream");
}

DeviceQueue::~DeviceQueue() {
  cudaStreamDestroy(stream_);
}

void DeviceQueue::finish() const {
  check(cudaStreamSynchronize(stream_), "work on the GPU");
}

void DeviceQueue::settle() const noexcept {
  static_cast<void>(cudaStreamSynchronize(stream_));
}

void DeviceQueue::wait_for(const DeviceEvent& event) const {
  check(cudaStreamWaitEvent(stream_, event.event_, 0), "CUDA event");
}

DeviceEvent::DeviceEvent(EventUse use) {
  const unsigned flags = use == EventUse::kTiming ? cudaEventDefault : cudaEventDisableTiming;
  check(cudaEventCreateWithFlags(&event_, flags), "CUDA event");
}

DeviceEvent::~DeviceEvent() {
  if (event_ != nullptr) cudaEventDestroy(event_);
}

DeviceEvent::DeviceEvent(DeviceEvent&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}

void DeviceEvent::record(Stream stream) const {
  check(cudaEventRecord(event_, stream), "CUDA event");
}

void DeviceEvent::record_in_graph(Stream stream) const {
  check(cudaEventRecordWithFlags(event_, stream, cudaEventRecordExternal), "CUDA event");
}

Seconds DeviceEvent::since(const DeviceEvent& earlier) const {
  float milliseconds = 0.0F;
  check(cudaEventElapsedTime(&milliseconds, earlier.event_, event_), "CUDA event");
  return Seconds{1e-3 * static_cast<double>(milliseconds)};
}

PinnedMemory::PinnedMemory(std::size_t bytes, const char* subject) {
  if (bytes == 0) return;
  void* memory = nullptr;
  const cudaError_t status = cudaMallocHost(&memory, bytes);
  if (status == cudaErrorMemoryAllocation)
    throw Error(ErrorKind::kDoesNotFit, subject,
                std::to_string(bytes) + " bytes of pinned memory are more than the system grants.",
                "Plan with a smaller context or batch.");
  check(status, subject);
  bytes_ = {static_cast<std::byte*>(memory), bytes};
}

PinnedMemory::~PinnedMemory() {
  if (!bytes_.empty()) cudaFreeHost(bytes_.data());
}

void copy(void* to, const void* from, std::size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream), "copy to or from the GPU");
}

void copy_between(void* to, int to_device, const void* from, int from_device, std::size_t bytes, Stream stream) {
  if (bytes == 0) return;
  check(cudaMemcpyPeerAsync(to, to_device, from, from_device, bytes, stream), "copy between GPUs");
}

void call_host(std::function<void()> call, Stream stream) {
  auto kept = std::make_unique<std::function<void()>>(std::move(call));
  const auto run = [](void* what) {
    const std::unique_ptr<std::function<void()>> own(static_cast<std::function<void()>*>(what));
    (*own)();
  };
  check(cudaLaunchHostFunc(stream, run, kept.get()), "call of the host");
  static_cast<void>(kept.release());  // its turn frees it
}

void zero(std::span<std::byte> memory, Stream stream) {
  if (memory.empty()) return;
  check(cudaMemsetAsync(memory.data(), 0, memory.size(), stream), "memory of the GPU");
}

}  // namespace dachlast::kernels::cuda
