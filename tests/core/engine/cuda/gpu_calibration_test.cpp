// Runs the calibration of a GPU from end to end on the emulated one: what is asked of a device and in which order, not how fast
// it is.
#include "core/engine/cuda/gpu_calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/emulation/gemm.h"
#include "tests/emulation/queues.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

GpuCalibrationPlan small_plan() {
  return {.dram_bytes = 1 << 16,
          .link_bytes = 1 << 12,
          .gemm_size = 16,
          .n_repeats = 3,
          .n_launches = 5,
          .cache_traffic_bytes = 1 << 18,
          .small_reduce_bytes = 64,
          .nccl_library = DACHLAST_FAKE_NCCL};
}

GpuRoofs small_roofs(const GpuCalibrationPlan& plan = small_plan(), int index = 0) {
  kernels::cuda::Gemm gemm(emulation::gemm_api());
  return calibrate_gpu(index, gemm, plan);
}

std::vector<std::string> names_of(const std::vector<GpuRoof>& list) {
  std::vector<std::string> names;
  for (const GpuRoof& roof : list) names.push_back(roof.what);
  return names;
}

/// So many GPUs for the time of a test.
class Devices {
 public:
  explicit Devices(int n) { emulation::set_device_count(n); }
  ~Devices() {
    emulation::set_device_count(1);
    emulation::set_peer_path(emulation::PeerPath::kDirect);
    unsetenv("FAKE_NCCL");
  }
  Devices(const Devices&) = delete;
  Devices& operator=(const Devices&) = delete;
};

const GpuRoof& roof_named(const std::vector<GpuRoof>& list, const std::string& what) {
  for (const GpuRoof& roof : list)
    if (roof.what == what) return roof;
  throw std::out_of_range(what);
}

TEST(CalibrateGpu, MeasuresEveryRoof) {
  const GpuRoofs roofs = small_roofs();
  EXPECT_EQ(roofs.compute_capability, 90);
  EXPECT_THAT(names_of(roofs.bandwidths), ElementsAre("DRAM write", "DRAM read", "DRAM copy", "L2 read", "L2 copy",
                                                      "host to device", "device to host"));
  EXPECT_THAT(names_of(roofs.peaks),
              ElementsAre("GEMM bf16", "GEMM f16", "GEMM tf32", "GEMM f32", "GEMM fp8", "GEMM int8"));
  EXPECT_THAT(names_of(roofs.latencies), ElementsAre("launch and wait", "kernel in a row", "kernel in a graph"));
  EXPECT_THAT(roofs.not_measured, ElementsAre(HasSubstr("one GPU")));
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
  EXPECT_EQ(emulation::n_products() - n_products, 6 * 4);  // six types, once to warm up and three repeats
  EXPECT_EQ(emulation::n_graph_launches() - n_graphs, 4);
  EXPECT_THAT(roofs.peaks[0].with, HasSubstr("16 × 16 × 16"));
  // The emulated clock ticks 1 µs an event: all work between two of them takes one. 16 KiB of an L2 of 64 KiB, 256 KiB in all.
  EXPECT_NEAR(roof_named(roofs.bandwidths, "L2 read").sample.median, (1 << 18) / 1e-6, 1e-6 * (1 << 18) / 1e-6);
  EXPECT_NEAR(roof_named(roofs.bandwidths, "L2 copy").sample.median, 2.0 * (1 << 18) / 1e-6, 1e-6 * (1 << 19) / 1e-6);
}

TEST(CalibrateGpu, LinksToEveryOtherGpuBothWaysAndAllReduces) {
  const Devices three(3);
  const GpuRoofs roofs = small_roofs(small_plan(), 1);
  const auto names = names_of(roofs.bandwidths);
  EXPECT_THAT(std::vector(names.begin() + 7, names.end()),
              ElementsAre("GPU 1 to GPU 0", "GPU 0 to GPU 1", "GPU 1 to GPU 2", "GPU 2 to GPU 1", "all-reduce"));
  EXPECT_EQ(roof_named(roofs.bandwidths, "GPU 1 to GPU 2").with, "4 KiB, direct");
  const GpuRoof& reduce = roof_named(roofs.bandwidths, "all-reduce");
  EXPECT_EQ(reduce.with, "4 KiB, 3 GPUs, NCCL 2.28.9");
  EXPECT_NEAR(reduce.sample.median, 2.0 * 2 / 3 * 4096 / 1e-6, 1e4);  // 2 · (n − 1) / n of the bytes in one tick
  EXPECT_EQ(roof_named(roofs.latencies, "all-reduce").with, "64 B, 3 GPUs, NCCL 2.28.9");
  EXPECT_TRUE(roofs.not_measured.empty()) << roofs.not_measured.front();
}

TEST(CalibrateGpu, CopiesThroughTheHostAreCalledSo) {
  const Devices two(2);
  emulation::set_peer_path(emulation::PeerPath::kThroughHost);
  EXPECT_EQ(roof_named(small_roofs().bandwidths, "GPU 0 to GPU 1").with, "4 KiB, through the host");
}

TEST(CalibrateGpu, WithoutNcclOnlyItsRoofIsMissing) {
  const Devices two(2);
  GpuCalibrationPlan plan = small_plan();
  plan.nccl_library = "libnccl-of-nobody.so.2";
  GpuRoofs roofs = small_roofs(plan);
  EXPECT_THAT(roofs.not_measured, ElementsAre(HasSubstr("libnccl-of-nobody.so.2")));
  EXPECT_EQ(names_of(roofs.bandwidths).back(), "GPU 1 to GPU 0");
  plan.nccl_library = "libm.so.6";  // loads, and is none
  EXPECT_THAT(small_roofs(plan).not_measured, ElementsAre(HasSubstr("has no nccl")));
}

TEST(CalibrateGpu, AnNcclThatRefusesOrSumsWronglyGivesNoRoof) {
  const Devices two(2);
  setenv("FAKE_NCCL", "refuse", 1);
  EXPECT_THAT(small_roofs().not_measured, ElementsAre(HasSubstr("unhandled system error")));
  setenv("FAKE_NCCL", "wrong", 1);
  EXPECT_THAT(small_roofs().not_measured, ElementsAre(HasSubstr("received 1 where ones of 2 GPUs")));
}

TEST(CalibrateGpu, WhatOneProbeLacksIsSaidAndTheOthersRun) {
  GpuCalibrationPlan plan = small_plan();
  plan.gemm_size = 3;  // fp8 and int8 ask for multiples; operands of three rows are not aligned
  plan.link_bytes = std::size_t{1} << 50;
  const GpuRoofs roofs = small_roofs(plan);
  EXPECT_THAT(names_of(roofs.bandwidths), ElementsAre("DRAM write", "DRAM read", "DRAM copy", "L2 read", "L2 copy"));
  EXPECT_EQ(roofs.latencies.size(), 3U);
  ASSERT_FALSE(roofs.not_measured.empty());
  EXPECT_THAT(roofs.not_measured[0], HasSubstr("link to the host"));
}

TEST(CalibrateGpu, TheWatchIsToldEveryProbeAndMayEndThem) {
  kernels::cuda::Gemm gemm(emulation::gemm_api());
  std::vector<std::string> began;
  calibrate_gpu(0, gemm, small_plan(), [&](const std::string& what) { began.push_back(what); });
  EXPECT_THAT(began, ElementsAre("DRAM", "L2", "link to the host", "GEMM bf16", "GEMM f16", "GEMM tf32", "GEMM f32",
                                 "GEMM fp8", "GEMM int8", "launches"));
  const auto stop = [](const std::string&) { throw Error(ErrorKind::kInterrupted, "calibrate", "stopped."); };
  EXPECT_THROW(calibrate_gpu(0, gemm, small_plan(), stop), Error);
}

TEST(CalibrateGpu, NoGpuIsAnError) {
  emulation::set_device_count(0);
  EXPECT_THROW(small_roofs(), Error);
  emulation::set_device_count(1);
}

}  // namespace
}  // namespace dachlast
