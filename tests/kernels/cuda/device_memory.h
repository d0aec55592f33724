#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/op_cost.h"

// The device that the tests of the CUDA kernels run on: the emulation, or a GPU (device_memory_gpu.cpp). The tests are
// the same.
namespace dachlast::kernels::cuda::testing {

void* device_allocate(std::size_t bytes);
void device_release(void* memory);
void upload(void* to, const void* from, std::size_t bytes);
/// Waits for all work before it copies.
void download(void* to, const void* from, std::size_t bytes);
/// Empty where the tests can run; else why not.
std::string why_no_device();

/// Bytes that one operation has moved, each counted once.
struct MovedBytes {
  std::size_t read;
  std::size_t written;
};
void start_counting();
/// Since `start_counting`; empty where nothing counts.
std::optional<MovedBytes> counted();

/// Runs threads of a block in another order from here on, where the order can be chosen.
void reverse_schedule();
void restore_schedule();

/// An array in device memory of exactly its size; all bits are set (NaN) where no values are given.
template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(std::size_t n) : DeviceArray(std::span<const T>(poison(n))) {}
  explicit DeviceArray(std::span<const T> values) : n_(values.size()), data_(device_allocate(values.size_bytes())) {
    if (n_ > 0) upload(data_, values.data(), values.size_bytes());
  }
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(std::span<const T>(values)) {}
  ~DeviceArray() { device_release(data_); }
  DeviceArray(DeviceArray&& other) noexcept : n_(other.n_), data_(other.data_) { other.data_ = nullptr, other.n_ = 0; }
  DeviceArray& operator=(DeviceArray&&) = delete;
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  std::span<T> span() { return {static_cast<T*>(data_), n_}; }
  std::span<const T> span() const { return {static_cast<const T*>(data_), n_}; }
  std::vector<T> host() const {
    std::vector<T> values(n_);
    if (n_ > 0) download(values.data(), data_, n_ * sizeof(T));
    return values;
  }

 private:
  static std::vector<T> poison(std::size_t n) {
    std::vector<T> values(n);
    if (n > 0) std::memset(static_cast<void*>(values.data()), 0xff, n * sizeof(T));
    return values;
  }

  std::size_t n_;
  void* data_;
};

/// Every test of a kernel: skips aloud without a device.
class CudaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_device(); !reason.empty()) GTEST_SKIP() << reason;
  }
  void TearDown() override { restore_schedule(); }
};

/// Runs the operation and holds what it moved against its cost: writes exactly, reads within 2 %.
template <class Run>
void expect_traffic(const OpCost& cost, std::size_t written_bytes, const Run& run) {
  start_counting();
  run();
  const std::optional<MovedBytes> moved = counted();
  if (!moved) return;
  EXPECT_EQ(moved->written, written_bytes);
  const double reads = cost.bytes().value - static_cast<double>(written_bytes);
  EXPECT_NEAR(static_cast<double>(moved->read), reads, 0.02 * reads);
}

}  // namespace dachlast::kernels::cuda::testing
