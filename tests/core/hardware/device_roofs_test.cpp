#include "core/hardware/device_roofs.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

BandwidthRoof dram_read(int n_threads, double bytes_per_s) {
  return {MemoryLevel::kDram,
          AccessPattern::kRead,
          n_threads,
          1e9,
          {.median = 0.9 * bytes_per_s, .max = bytes_per_s, .n = 5}};
}

ComputeRoof f32(const char* instruction, int n_threads, double flops_per_s) {
  return {DType::kF32, instruction, n_threads, {.median = 0.8 * flops_per_s, .max = flops_per_s, .n = 5}};
}

DeviceRoofs roofs_for_1_2_and_8_threads() {
  DeviceRoofs roofs;
  roofs.bandwidths = {dram_read(2, 20e9), dram_read(1, 12e9), dram_read(8, 50e9)};
  roofs.computes = {f32("AVX2 FMA", 2, 90e9), f32("AVX-512 FMA", 2, 170e9), f32("AVX-512 FMA", 1, 100e9)};
  return roofs;
}

TEST(DeviceRoofs, TakesTheExactNumberOfThreads) {
  const DeviceRoofs roofs = roofs_for_1_2_and_8_threads();
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 1), BytesPerSecond{12e9});
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 8), BytesPerSecond{50e9});
}

TEST(DeviceRoofs, ElseTheLargestMeasuredNumberBelow) {
  const DeviceRoofs roofs = roofs_for_1_2_and_8_threads();
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 7), BytesPerSecond{20e9});
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 64), BytesPerSecond{50e9});
  EXPECT_EQ(roofs.peak(DType::kF32, 5), FlopsPerSecond{170e9});
}

TEST(DeviceRoofs, OfSeveralInstructionsTheFastestWins) {
  EXPECT_EQ(roofs_for_1_2_and_8_threads().peak(DType::kF32, 2), FlopsPerSecond{170e9});
  DeviceRoofs reversed;
  reversed.computes = {f32("AVX-512 FMA", 2, 170e9), f32("AVX2 FMA", 2, 90e9)};
  EXPECT_EQ(reversed.peak(DType::kF32, 2), FlopsPerSecond{170e9});
}

TEST(DeviceRoofs, WhatWasNotMeasuredIsAbsent) {
  const DeviceRoofs roofs = roofs_for_1_2_and_8_threads();
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kL1, AccessPattern::kRead, 2), std::nullopt);
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kTriad, 2), std::nullopt);
  EXPECT_EQ(roofs.bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 0), std::nullopt);
  EXPECT_EQ(roofs.peak(DType::kBF16, 2), std::nullopt);
}

}  // namespace
}  // namespace dachlast
