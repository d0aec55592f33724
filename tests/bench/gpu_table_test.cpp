#include "tests/bench/gpu_table.h"

#include <gtest/gtest.h>

#include <limits>

namespace dachlast::bench {
namespace {

constexpr const char* kH100 = "NVIDIA H100 80GB HBM3";

TEST(GpuTable, TargetsAreMetOnTheirValueAndBeyond) {
  EXPECT_EQ(verdict_of({"", "", 0.60, 0.60}, kH100), ">= 60 %: met");
  EXPECT_EQ(verdict_of({"", "", 0.599, 0.60}, kH100), ">= 60 %: NOT met");
  EXPECT_EQ(verdict_of({"", "", 0.05, -0.05}, kH100), "<= 5 %: met");
  EXPECT_EQ(verdict_of({"", "", 0.051, -0.05}, kH100), "<= 5 %: NOT met");
  EXPECT_EQ(verdict_of({"", "", 0.9, 0.0}, kH100), "no target");
}

TEST(GpuTable, OtherDevicesAreNotJudged) {
  EXPECT_EQ(verdict_of({"", "", 0.10, 0.60}, "NVIDIA GeForce RTX 4090"), ">= 60 % on an H100");
}

TEST(GpuTable, SharesThatAreNoNumbersAreNoFiguresAndFail) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(verdict_of({"", "", none, 0.60}, kH100), "no figure");
  EXPECT_FALSE(all_measured({{"a", "", 0.5, 0.0}, {"b", "", none, 0.0}}));
  EXPECT_TRUE(all_measured({{"a", "", 0.5, 0.6}}));
}

TEST(GpuTable, ARowALine) {
  EXPECT_EQ(gpu_table({{"decode attention", "2850.0 GB/s", 0.876, 0.85}}, kH100),
            "                                                      reached   of roof  target (H100)\n"
            "decode attention                                  2850.0 GB/s    87.6 %  >= 85 %: met\n");
}

}  // namespace
}  // namespace dachlast::bench
