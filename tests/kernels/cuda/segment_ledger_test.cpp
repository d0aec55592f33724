#include <gtest/gtest.h>

#include "kernels/cuda/device_pool.h"

namespace dachlast::kernels::cuda {
namespace {

TEST(SegmentLedger, KeepsThePeakOfEachSegmentAndOfAll) {
  SegmentLedger ledger;
  ledger.add(DeviceSegment::kWeights, 100);
  ledger.add(DeviceSegment::kWorkspace, 50);
  ledger.remove(DeviceSegment::kWorkspace, 50);
  ledger.add(DeviceSegment::kKvCache, 30);
  EXPECT_EQ(ledger.held(DeviceSegment::kWorkspace), 0u);
  EXPECT_EQ(ledger.peak(DeviceSegment::kWorkspace), 50u);
  EXPECT_EQ(ledger.peak(DeviceSegment::kActivations), 0u);
  EXPECT_EQ(ledger.held(DeviceSegment::kKvCache), 30u);
  EXPECT_EQ(ledger.total_peak(), 150u);  // 100 + 50, before the 30 came: not the 180 that peaks add up to
}

}  // namespace
}  // namespace dachlast::kernels::cuda
