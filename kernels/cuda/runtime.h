#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "core/base/units.h"
#include "kernels/cuda/stream.h"

struct CUevent_st;

// What a program does with a device beside launching kernels: choose it, queue copies, wait, take the time.
namespace dachlast::kernels::cuda {

/// A device as its runtime describes it.
struct DeviceFacts {
  int index = 0;
  std::string name;
  int compute_capability = 0;  // 90 for 9.0
  int n_multiprocessors = 0;
  std::size_t memory_bytes = 0;
  std::size_t free_bytes = 0;
  std::string pci_bus_id;  // "0000:41:00.0"
};

/// Makes device `index` the one that this thread works with.
/// Errors   `Error` of kind kDevice where there is no driver, or no such device.
DeviceFacts select_device(int index);

/// GPUs that the driver knows.
/// Errors   `Error` of kind kDevice where there is no driver.
int count_devices();

/// The device that this thread works with, until the end of its life; then the one before.
class OnDevice {
 public:
  /// Errors   `Error` of kind kDevice where there is no such device.
  explicit OnDevice(int index);
  ~OnDevice();
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  int before_ = 0;
};

/// How a device reaches the memory of another one.
enum class PeerPath {
  kDirect,       // over NVLink or PCIe, as the computer is wired
  kThroughHost,  // the driver copies through memory of the host
};
PeerPath peer_path(int from, int to);

class DeviceEvent;

/// A queue of its own, which waits for no other one unless told to.
class DeviceQueue {
 public:
  /// Errors   `Error` of kind kDevice where the runtime refuses.
  DeviceQueue();
  ~DeviceQueue();
  DeviceQueue(const DeviceQueue&) = delete;
  DeviceQueue& operator=(const DeviceQueue&) = delete;

  Stream stream() const { return stream_; }
  /// Blocks until all that was queued is done.
  /// Errors   `Error` of kind kDevice with what went wrong in it.
  void finish() const;
  /// Blocks as `finish`, and leaves what went wrong to the next call on the device: for destructors.
  void settle() const noexcept;
  /// Work that is queued from now on waits for the mark.
  void wait_for(const DeviceEvent& event) const;

 private:
  Stream stream_ = nullptr;
};

/// What events are for: only timed ones can be asked for the time between them, and cost more.
enum class EventUse { kOrder, kTiming };

/// A mark in a queue.
class DeviceEvent {
 public:
  explicit DeviceEvent(EventUse use);
  ~DeviceEvent();
  DeviceEvent(DeviceEvent&& other) noexcept;
  DeviceEvent& operator=(DeviceEvent&&) = delete;
  DeviceEvent(const DeviceEvent&) = delete;
  DeviceEvent& operator=(const DeviceEvent&) = delete;

  /// Marks the end of all that was queued so far.
  void record(Stream stream) const;
  /// The same from within a step that is being captured: every replay sets the mark anew.
  void record_in_graph(Stream stream) const;
  /// Time between two marks that are both behind; about half a microsecond is what events resolve.
  Seconds since(const DeviceEvent& earlier) const;

 private:
  friend class DeviceQueue;
  CUevent_st* event_ = nullptr;
};

/// Memory of the host that a device copies from and to by itself, while the host goes on.
class PinnedMemory {
 public:
  /// Errors   `Error` (kDoesNotFit) naming `subject` where the system refuses.
  PinnedMemory(std::size_t bytes, const char* subject);
  ~PinnedMemory();
  PinnedMemory(const PinnedMemory&) = delete;
  PinnedMemory& operator=(const PinnedMemory&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }
  template <class T>
  std::span<T> as() const {
    return {reinterpret_cast<T*>(bytes_.data()), bytes_.size() / sizeof(T)};
  }

 private:
  std::span<std::byte> bytes_;
};

/// Queues a copy in either direction, or within the device. What lies in pinned memory must stay until it is done.
void copy(void* to, const void* from, std::size_t bytes, Stream stream);

/// Queues a copy from the memory of one device to that of another.
void copy_between(void* to, int to_device, const void* from, int from_device, std::size_t bytes, Stream stream);

/// Queues a call of the host, when its turn comes, on a thread of the runtime; what is queued behind it waits.
/// `call` throws nothing and queues nothing.
void call_host(std::function<void()> call, Stream stream);

/// Queues writing zeros.
void zero(std::span<std::byte> memory, Stream stream);

}  // namespace dachlast::kernels::cuda
