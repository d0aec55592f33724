#include "core/workbench/listed_roofs.h"

#include <gtest/gtest.h>

#include "core/roofline/roofline.h"
#include "core/viewmodel/roofline_plot.h"
#include "tests/support/sample_run.h"

namespace dachlast {
namespace {

/// Measured on an H100 SXM at less than its data sheet lists: 3.35 TB/s and 67 TFLOP/s in FP32.
Run run_on_h100() {
  Run run = test::sample_run();
  run.roofs.device = "NVIDIA H100 80GB HBM3";
  run.n_threads = 1;
  for (BandwidthRoof& roof : run.roofs.bandwidths) {
    roof.n_threads = 1;
    if (roof.level == MemoryLevel::kDram) roof.bytes_per_s = {3.0e12, 3.0e12, 3.0e12, 5};
  }
  for (ComputeRoof& roof : run.roofs.computes) {
    roof.n_threads = 1;
    if (roof.dtype == DType::kF32) roof.ops_per_s = {50e12, 50e12, 50e12, 5};
  }
  return run;
}

TEST(ListedRoofs, KnowDevicesOfTheCatalogAndNoOthers) {
  const auto roofs = listed_roofs("NVIDIA H100 80GB HBM3", 1);
  ASSERT_TRUE(roofs.has_value());
  EXPECT_EQ(roofs->bandwidths.at(0).origin, Origin::kDatasheet);
  EXPECT_DOUBLE_EQ(roofs->bandwidth(MemoryLevel::kDram, AccessPattern::kRead, 1)->value, 3.35e12);
  EXPECT_FALSE(listed_roofs("AMD EPYC, 2 cores", 2).has_value());
  EXPECT_FALSE(listed_roofs("", 1).has_value());
}

TEST(ListedRoofs, MeasuredOnesCountUnlessListedOnesAreAskedFor) {
  const auto measured = held_against(run_on_h100(), RoofSource::kMeasured);
  EXPECT_DOUBLE_EQ(memory_ceiling(measured.roofs, MemoryLevel::kDram, 1).bandwidth.value, 3.0e12);
  EXPECT_DOUBLE_EQ(compute_ceiling(measured.roofs, DType::kF32, 1).peak.value, 50e12);
  const auto listed = held_against(run_on_h100(), RoofSource::kListed);
  EXPECT_DOUBLE_EQ(memory_ceiling(listed.roofs, MemoryLevel::kDram, 1).bandwidth.value, 3.35e12);
  EXPECT_GT(compute_ceiling(listed.roofs, DType::kF32, 1).peak.value, 50e12);
}

TEST(ListedRoofs, HoldingARunAgainstThemTwiceAddsThemOnce) {
  const auto once = held_against(run_on_h100(), RoofSource::kListed);
  const auto back = held_against(once, RoofSource::kMeasured);
  EXPECT_EQ(back.roofs.bandwidths.size(), once.roofs.bandwidths.size());
  EXPECT_DOUBLE_EQ(memory_ceiling(back.roofs, MemoryLevel::kDram, 1).bandwidth.value, 3.0e12);
}

TEST(ListedRoofs, ARunOnAnUnknownDeviceStaysAsItIs) {
  const auto run = test::sample_run();
  const auto held = held_against(run, RoofSource::kListed);
  EXPECT_EQ(held.roofs.bandwidths.size(), run.roofs.bandwidths.size());
  EXPECT_EQ(held.roofs.computes.size(), run.roofs.computes.size());
}

TEST(ListedRoofs, TheRooflineShowsBothOnOneFrame) {
  const auto measured = viewmodel::roofline_plot(held_against(run_on_h100(), RoofSource::kMeasured));
  const auto listed = viewmodel::roofline_plot(held_against(run_on_h100(), RoofSource::kListed));
  EXPECT_EQ(measured.memory_roofs.at(0).origin, Origin::kMeasured);
  EXPECT_DOUBLE_EQ(measured.memory_roofs.at(0).other, 3.35e12);
  EXPECT_NE(measured.memory_roofs.at(0).label.find("measured ("), std::string::npos);
  EXPECT_EQ(listed.memory_roofs.at(0).origin, Origin::kDatasheet);
  EXPECT_DOUBLE_EQ(listed.memory_roofs.at(0).other, 3.0e12);
  EXPECT_EQ(measured.x.lo, listed.x.lo);
  EXPECT_EQ(measured.x.hi, listed.x.hi);
  EXPECT_EQ(measured.y.hi, listed.y.hi);
}

}  // namespace
}  // namespace dachlast
