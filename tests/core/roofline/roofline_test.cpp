#include "core/roofline/roofline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/roofline/round_run.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;
using testing::round_host;
using testing::round_roofs;

Roofline dram_roofline() {
  return {round_roofs(), DType::kF32, MemoryLevel::kDram, 2};
}

TEST(Roofline, RidgePointIsPeakOverBandwidth) {
  EXPECT_DOUBLE_EQ(dram_roofline().ridge_point().value, 10.0);  // 100e9 / 10e9
}

TEST(Roofline, RidgePointItselfCountsAsComputeBound) {
  EXPECT_EQ(dram_roofline().bound(Intensity{9.9}), Bound::kMemory);
  EXPECT_EQ(dram_roofline().bound(Intensity{10.0}), Bound::kCompute);
}

TEST(Roofline, AttainableFollowsTheLowerCeiling) {
  EXPECT_DOUBLE_EQ(dram_roofline().attainable(Intensity{2.0}).value, 20e9);    // 2 · 10e9
  EXPECT_DOUBLE_EQ(dram_roofline().attainable(Intensity{50.0}).value, 100e9);  // the peak
}

TEST(Roofline, LeastTimeIsTheLargerOfWorkAndTraffic) {
  OpCost cost{.flops = Flops{1e9}, .weight_bytes = Bytes{1e9}};
  EXPECT_DOUBLE_EQ(dram_roofline().least_time(cost).value, 0.1);  // 1e9 / 10e9 > 1e9 / 100e9
  cost.flops = Flops{50e9};
  EXPECT_DOUBLE_EQ(dram_roofline().least_time(cost).value, 0.5);  // 50e9 / 100e9
}

TEST(Roofline, AMissingDtypeIsHeldAgainstF32AndSaysSo) {
  const ComputeCeiling ceiling = compute_ceiling(round_roofs(), DType::kBF16, 2);
  EXPECT_EQ(ceiling.dtype, DType::kF32);
  EXPECT_DOUBLE_EQ(ceiling.peak.value, 100e9);
  EXPECT_THAT(ceiling.remark, HasSubstr("BF16"));
  EXPECT_EQ(compute_ceiling(round_roofs(), DType::kF32, 2).remark, "");
}

TEST(Roofline, AMissingCacheLevelIsHeldAgainstTheNextOneOutwards) {
  DeviceRoofs roofs = round_roofs();
  roofs.bandwidths.erase(roofs.bandwidths.begin());  // L2
  const MemoryCeiling ceiling = memory_ceiling(roofs, MemoryLevel::kL2, 2);
  EXPECT_EQ(ceiling.level, MemoryLevel::kL3);
  EXPECT_THAT(ceiling.remark, HasSubstr("L2"));
}

TEST(Roofline, FewerThreadsThanTheRunHadAreSaid) {
  EXPECT_THAT(compute_ceiling(round_roofs(), DType::kF32, 3).remark, HasSubstr("2 threads, not with 3"));
  EXPECT_THAT(memory_ceiling(round_roofs(), MemoryLevel::kDram, 3).remark, HasSubstr("2 threads, not with 3"));
}

TEST(Roofline, MissingRoofsNameDeviceAndDtype) {
  try {
    compute_ceiling(round_roofs(), DType::kBF16, 1);  // only 2 threads were measured
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_EQ(error.subject(), "Test CPU, 2 cores");
    EXPECT_THAT(error.reason(), HasSubstr("BF16 compute roof is known for 1 thread."));
    EXPECT_THAT(error.way_out(), HasSubstr("calibrate"));
  }
  EXPECT_THROW(memory_ceiling(DeviceRoofs{}, MemoryLevel::kL3, 2), Error);
}

TEST(LevelHolding, ChoosesTheInnermostCacheThatTheThreadsReach) {
  // One thread reaches one L2 of 1 MB, two threads two of them; the L3 of 16 MB is shared.
  EXPECT_EQ(level_holding(Bytes{0.9e6}, round_host(), 1), MemoryLevel::kL2);
  EXPECT_EQ(level_holding(Bytes{1.5e6}, round_host(), 1), MemoryLevel::kL3);
  EXPECT_EQ(level_holding(Bytes{1.5e6}, round_host(), 2), MemoryLevel::kL2);
  EXPECT_EQ(level_holding(Bytes{16e6}, round_host(), 2), MemoryLevel::kL3);
  EXPECT_EQ(level_holding(Bytes{16.1e6}, round_host(), 2), MemoryLevel::kDram);
}

TEST(LevelHolding, HiddenCachesHoldNothing) {
  EXPECT_EQ(level_holding(Bytes{1.0}, HostTopology{}, 2), MemoryLevel::kDram);
}

TEST(LevelFeeding, WeightsComeFromWhereTheWholeStepFits) {
  const OpCost step{.weight_bytes = Bytes{400e6}, .activation_bytes = Bytes{1e6}};
  const OpCost projection{.weight_bytes = Bytes{0.5e6}, .activation_bytes = Bytes{0.1e6}};
  EXPECT_EQ(level_feeding(projection, step, round_host(), 2), MemoryLevel::kDram);
}

TEST(LevelFeeding, ActivationsComeFromWhereOneCallFits) {
  const OpCost step{.weight_bytes = Bytes{400e6}};
  const OpCost residual{.activation_bytes = Bytes{0.1e6}};
  EXPECT_EQ(level_feeding(residual, step, round_host(), 2), MemoryLevel::kL2);
  EXPECT_EQ(level_feeding({.activation_bytes = Bytes{10e6}}, step, round_host(), 2), MemoryLevel::kL3);
}

}  // namespace
}  // namespace dachlast
