// The part of the CUDA runtime that needs a driver, for kernels that run on the host: devices, memory and copies. Streams,
// events and graphs are in queues.cpp.
#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/emulation/grid.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/queues.h"

namespace dachlast::emulation {
namespace {

constexpr std::size_t kAlignment = 256;  // cudaMalloc's

struct Memory {
  std::map<const void*, std::size_t> device;  // first address → bytes
  std::map<const void*, std::size_t> pinned;
  std::size_t device_bytes = std::size_t{1} << 30;
  std::size_t used_bytes = 0;
  int n_devices = 1;
  int current_device = 0;
  bool peers_through_host = false;
};

Memory& memory() {
  static Memory the_memory;
  return the_memory;
}

/// Whether all of [data, data + bytes) lies in one of `ranges`; `none` where it begins in none.
enum class Lies { kInside, kAcross, kOutside };
Lies lies(const std::map<const void*, std::size_t>& ranges, const void* data, std::size_t bytes) {
  auto after = ranges.upper_bound(data);
  if (after == ranges.begin()) return Lies::kOutside;
  --after;
  const auto offset =
      static_cast<std::size_t>(static_cast<const std::byte*>(data) - static_cast<const std::byte*>(after->first));
  if (offset >= after->second) return Lies::kOutside;
  return offset + bytes <= after->second ? Lies::kInside : Lies::kAcross;
}

void* allocate(std::size_t bytes) {
  void* data = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  if (data != nullptr) std::memset(data, 0xff, bytes);  // NaN
  return data;
}

cudaError_t release_device(void* data) {
  const auto found = memory().device.find(data);
  if (found == memory().device.end()) return cudaErrorInvalidValue;
  memory().used_bytes -= found->second;
  memory().device.erase(found);
  unwatch(data);
  std::free(data);
  return cudaSuccess;
}

cudaError_t copy_now(void* to, const void* from, std::size_t bytes) {
  if (lies(memory().device, to, bytes) == Lies::kAcross || lies(memory().device, from, bytes) == Lies::kAcross)
    return cudaErrorInvalidValue;
  std::memmove(to, from, bytes);
  return cudaSuccess;
}

}  // namespace

void set_device_bytes(std::size_t bytes) {
  memory().device_bytes = bytes;
}
void set_device_count(int n_devices) {
  memory().n_devices = n_devices;
}

void set_peer_path(PeerPath path) {
  memory().peers_through_host = path == PeerPath::kThroughHost;
}

}  // namespace dachlast::emulation

namespace emulation = dachlast::emulation;
using emulation::Lies;

extern "C" {

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorInsufficientDriver: return "CUDA driver version is insufficient for CUDA runtime version";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorInvalidValue: return "invalid argument";
    default: return emulation::fault().empty() ? "unspecified launch failure" : emulation::fault().c_str();
  }
}

cudaError_t cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) {
  return cudaSuccess;
}

// ---- devices

cudaError_t cudaGetDeviceCount(int* count) {
  if (emulation::memory().n_devices == 0) return cudaErrorInsufficientDriver;
  *count = emulation::memory().n_devices;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= emulation::memory().n_devices) return cudaErrorInvalidDevice;
  emulation::memory().current_device = device;
  return cudaSuccess;
}
cudaError_t cudaGetDevice(int* device) {
  *device = emulation::memory().current_device;
  return cudaSuccess;
}
cudaError_t cudaDeviceCanAccessPeer(int* direct, int from, int to) {
  *direct = from != to && !emulation::memory().peers_through_host ? 1 : 0;
  return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::strcpy(properties->name, "emulated on the host");
  return cudaSuccess;
}
cudaError_t cudaDeviceGetPCIBusId(char* id, int length, int) {
  std::strncpy(id, "0000:00:00.0", static_cast<std::size_t>(length));
  return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrComputeCapabilityMajor: *value = 9; return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor: *value = 0; return cudaSuccess;
    case cudaDevAttrMultiProcessorCount: *value = 1; return cudaSuccess;
    case cudaDevAttrL2CacheSize: *value = 1 << 16; return cudaSuccess;
    default: return cudaErrorInvalidValue;
  }
}
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *total = emulation::memory().device_bytes;
  *free = *total - emulation::memory().used_bytes;
  return cudaSuccess;
}

// ---- memory

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps*) {
  static char the_pool;
  *pool = reinterpret_cast<cudaMemPool_t>(&the_pool);
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
  return cudaSuccess;
}
cudaError_t cudaMemPoolSetAccess(cudaMemPool_t, const cudaMemAccessDesc*, std::size_t) {
  return cudaSuccess;
}
cudaError_t cudaMemPoolDestroy(cudaMemPool_t) {
  return cudaSuccess;
}
cudaError_t cudaMallocFromPoolAsync(void** data, std::size_t bytes, cudaMemPool_t, cudaStream_t stream) {
  auto& memory = emulation::memory();
  // What was given back before in the same stream may be had again: pools are in its order.
  if (bytes > memory.device_bytes - memory.used_bytes) cudaStreamSynchronize(stream);
  if (bytes > memory.device_bytes - memory.used_bytes) return cudaErrorMemoryAllocation;
  *data = emulation::allocate(bytes);
  if (*data == nullptr) return cudaErrorMemoryAllocation;
  memory.used_bytes += bytes;
  memory.device[*data] = bytes;
  emulation::watch(*data, bytes, "device memory");
  return cudaSuccess;
}
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
  return emulation::queue(stream, [data] { return emulation::release_device(data); });
}
cudaError_t cudaMallocHost(void** data, std::size_t bytes) {
  *data = emulation::allocate(bytes);
  if (*data == nullptr) return cudaErrorMemoryAllocation;
  emulation::memory().pinned[*data] = bytes;
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* data) {
  emulation::memory().pinned.erase(data);
  std::free(data);
  return cudaSuccess;
}

// ---- copies

/// From and to pinned memory when their turn comes; what is not pinned is read at once, and written before the call returns,
/// as the runtime does.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  const auto& memory = emulation::memory();
  const auto reachable = [&](const void* data) {
    return emulation::lies(memory.device, data, bytes) != Lies::kOutside ||
           emulation::lies(memory.pinned, data, bytes) != Lies::kOutside;
  };
  if (!reachable(from)) {
    const auto* const start = static_cast<const std::byte*>(from);
    return emulation::queue(stream, [to, held = std::vector<std::byte>(start, start + bytes)] {
      return emulation::copy_now(to, held.data(), held.size());
    });
  }
  const cudaError_t status = emulation::queue(stream, [=] { return emulation::copy_now(to, from, bytes); });
  return status == cudaSuccess && !reachable(to) ? cudaStreamSynchronize(stream) : status;
}
/// All devices share one memory here; what a pool lends another device lies in no other place.
cudaError_t cudaMemcpyPeerAsync(void* to, int to_device, const void* from, int from_device, std::size_t bytes,
                                cudaStream_t stream) {
  const int n_devices = emulation::memory().n_devices;
  if (to_device < 0 || to_device >= n_devices || from_device < 0 || from_device >= n_devices)
    return cudaErrorInvalidDevice;
  return emulation::queue(stream, [=] {
    const auto& device = emulation::memory().device;
    if (emulation::lies(device, to, bytes) != Lies::kInside || emulation::lies(device, from, bytes) != Lies::kInside)
      return cudaErrorInvalidValue;
    return emulation::copy_now(to, from, bytes);
  });
}
cudaError_t cudaLaunchHostFunc(cudaStream_t stream, cudaHostFn_t call, void* what) {
  return emulation::queue(stream, [=] {
    call(what);
    return cudaSuccess;
  });
}
cudaError_t cudaMemsetAsync(void* data, int value, std::size_t bytes, cudaStream_t stream) {
  return emulation::queue(stream, [=] {
    if (emulation::lies(emulation::memory().device, data, bytes) != Lies::kInside) return cudaErrorInvalidValue;
    std::memset(data, value, bytes);
    return cudaSuccess;
  });
}
}
