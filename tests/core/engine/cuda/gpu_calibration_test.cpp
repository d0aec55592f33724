// Runs the calibration of a GPU from end to end on the emulated one: what is asked of a device and in which order, not how fast
// it is.
#include "core/engine/cuda/gpu_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/emulation/gemm.h"
#include "tests/emulation/queues.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr GpuCalibrationPlan kSmall{.dram_bytes = 1 << 16,
                                    .link_bytes = 1 << 12,
                                    .gemm_size = 16,
                                    .n_repeats = 3,
                                    .n_launches = 5,
                                    .cache_traffic_bytes = 1 << 18};

GpuRoofs small_roofs(const GpuCalibrationPlan& plan = kSmall) {
  kernels::cuda::Gemm gemm(emulation::gemm_api());
  return calibrate_gpu(0, gemm, plan);
}

std::vector<std::string> names_of(const std::vector<GpuRoof>& list) {
  std::vector<std::string> names;
  for (const GpuRoof& roof : list) names.push_back(roof.what);
  return names;
}

TEST(CalibrateGpu, MeasuresEveryRoof) {
  const GpuRoofs roofs = small_roofs();
  EXPECT_EQ(roofs.compute_capability, 90);
  EXPECT_THAT(names_of(roofs.bandwidths),
              ElementsAre("DRAM write", "DRAM read", "DRAM copy", "L2 read", "host to device", "device to host"));
  EXPECT_THAT(names_of(roofs.peaks), ElementsAre("GEMM bf16", "GEMM f16", "GEMM tf32", "GEMM fp8", "GEMM int8"));
  EXPECT_THAT(names_of(roofs.latencies), ElementsAre("launch and wait", "kernel in a row", "kernel in a graph"));
  EXPECT_TRUE(roofs.remarks.empty());
  for (const auto* list : {&roofs.bandwidths, &roofs.peaks, &roofs.latencies})
    for (const GpuRoof& roof : *list) {
      EXPECT_EQ(roof.sample.n, 3) << roof.what;
      EXPECT_TRUE(std::isfinite(roof.sample.median) && roof.sample.median > 0.0) << roof.what;
      EXPECT_LE(roof.sample.min, roof.sample.max);
    }
}

TEST(CalibrateGpu, WorkIsWhatItsNameSays) {
  const int n_products = emulation::n_products();
  const int n_graphs = emulation::n_graph_launches();
  const GpuRoofs roofs = small_roofs();
  EXPECT_EQ(emulation::n_products() - n_products, 5 * 4);  // five types, once to warm up and three repeats
  EXPECT_EQ(emulation::n_graph_launches() - n_graphs, 4);
  EXPECT_THAT(roofs.peaks[0].with, HasSubstr("16 × 16 × 16"));
}

TEST(CalibrateGpu, WhatOneProbeLacksIsSaidAndTheOthersRun) {
  GpuCalibrationPlan plan = kSmall;
  plan.gemm_size = 3;  // fp8 and int8 ask for multiples; operands of three rows are not aligned
  plan.link_bytes = std::size_t{1} << 50;
  const GpuRoofs roofs = small_roofs(plan);
  EXPECT_THAT(names_of(roofs.bandwidths), ElementsAre("DRAM write", "DRAM read", "DRAM copy", "L2 read"));
  EXPECT_EQ(roofs.latencies.size(), 3U);
  ASSERT_FALSE(roofs.remarks.empty());
  EXPECT_THAT(roofs.remarks[0].text, HasSubstr("link to the host"));
}

TEST(CalibrateGpu, NoGpuIsAnError) {
  emulation::set_device_count(0);
  EXPECT_THROW(small_roofs(), Error);
  emulation::set_device_count(1);
}

}  // namespace
}  // namespace dachlast
