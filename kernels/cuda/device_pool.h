#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "kernels/cuda/stream.h"

struct CUmemPoolHandle_st;
struct CUgraphExec_st;

// Memory of a device in the order of a stream, and steps that are queued at once.
namespace dachlast::kernels::cuda {

/// What device memory is for: the segments of the memory model that a program allocates itself.
enum class DeviceSegment : std::uint8_t { kWeights, kKvCache, kActivations, kWorkspace };
inline constexpr int kDeviceSegmentCount = 4;

/// Bytes held for each purpose, now and at most, so that a measured step can be laid beside the plan.
class SegmentLedger {
 public:
  void add(DeviceSegment segment, std::size_t bytes);
  void remove(DeviceSegment segment, std::size_t bytes);

  std::size_t held(DeviceSegment segment) const { return held_[index(segment)]; }
  std::size_t peak(DeviceSegment segment) const { return peak_[index(segment)]; }
  /// Most that all segments held together; at most the sum of their peaks.
  std::size_t total_peak() const { return total_peak_; }

 private:
  static std::size_t index(DeviceSegment segment) { return static_cast<std::size_t>(segment); }

  std::array<std::size_t, kDeviceSegmentCount> held_{};
  std::array<std::size_t, kDeviceSegmentCount> peak_{};
  std::size_t total_ = 0;
  std::size_t total_peak_ = 0;
};

class DevicePool;

/// Memory of a pool; given back in the order of its stream.
class DeviceBlock {
 public:
  DeviceBlock() = default;
  ~DeviceBlock();
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&& other) noexcept;
  DeviceBlock(const DeviceBlock&) = delete;
  DeviceBlock& operator=(const DeviceBlock&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  friend class DevicePool;
  DeviceBlock(DevicePool* pool, std::span<std::byte> bytes, DeviceSegment segment, Stream stream)
      : pool_(pool), bytes_(bytes), segment_(segment), stream_(stream) {}

  DevicePool* pool_ = nullptr;
  std::span<std::byte> bytes_;
  DeviceSegment segment_{};
  Stream stream_ = nullptr;
};

/// A stream-ordered pool of one device. Keeps what is given back, so that steps allocate without asking the driver.
/// Threads  one at a time.
class DevicePool {
 public:
  /// Errors   `Error` of kind kDevice where the device or its driver has no pools.
  explicit DevicePool(int device);
  ~DevicePool();
  DevicePool(const DevicePool&) = delete;
  DevicePool& operator=(const DevicePool&) = delete;

  /// Memory that may be used by work queued on `stream` from now on. Blocks do not outlive their pool.
  /// Errors   `Error` (kDoesNotFit) naming segment and bytes where the device has no room.
  DeviceBlock allocate(std::size_t bytes, DeviceSegment segment, Stream stream);

  /// Lets another device read and write the pool's memory, where it can reach it at all.
  /// Errors   `Error` of kind kDevice where it cannot.
  void let_in(int device);

  const SegmentLedger& ledger() const { return ledger_; }

 private:
  friend class DeviceBlock;
  void give_back(const DeviceBlock& block);

  CUmemPoolHandle_st* pool_ = nullptr;
  SegmentLedger ledger_;
};

class CapturedStep;

/// Takes down what is queued on a stream instead of running it, until `finish` or the end of its life.
class StepCapture {
 public:
  /// Errors   `Error` of kind kDevice where the driver refuses to capture.
  explicit StepCapture(Stream stream);
  ~StepCapture();
  StepCapture(const StepCapture&) = delete;
  StepCapture& operator=(const StepCapture&) = delete;

  /// Errors   `Error` of kind kDevice where what was queued cannot be a graph.
  CapturedStep finish();

 private:
  Stream stream_;
  bool capturing_ = true;
};

/// A step recorded once and queued as one graph: decode steps are short, and launching their kernels one by one can take
/// longer than they run.
class CapturedStep {
 public:
  /// Records what `queue` queues on the stream, without running it.
  /// Errors   `Error` of kind kDevice where the driver refuses to capture.
  CapturedStep(Stream stream, const std::function<void(Stream)>& queue);
  ~CapturedStep();
  CapturedStep(CapturedStep&& other) noexcept;
  CapturedStep& operator=(CapturedStep&&) = delete;
  CapturedStep(const CapturedStep&) = delete;
  CapturedStep& operator=(const CapturedStep&) = delete;

  void launch(Stream stream) const;

 private:
  friend class StepCapture;
  explicit CapturedStep(CUgraphExec_st* graph) : graph_(graph) {}

  CUgraphExec_st* graph_ = nullptr;
};

}  // namespace dachlast::kernels::cuda
