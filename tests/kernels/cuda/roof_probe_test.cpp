#include "kernels/cuda/roof_probe.h"

#include "tests/kernels/cuda/device_memory.h"

namespace dachlast::kernels::cuda {
namespace {

using testing::DeviceArray;

class CudaRoofProbe : public testing::CudaTest {};

TEST_F(CudaRoofProbe, ReadsEveryFloatOnce) {
  // Lengths with and without a tail behind the unrolled loads of two blocks of 256 threads.
  for (const std::size_t n : {4u, 1024u, 4u * 2 * 256 * 4, 4u * 2 * 256 * 4 + 12}) {
    const DeviceArray<float> values(std::vector<float>(n, 1.0f));
    DeviceArray<float> sums(std::vector<float>(2, 0.0f));
    testing::start_counting();
    read_probe(values.span(), sums.span(), nullptr);
    if (const auto moved = testing::counted()) {
      EXPECT_EQ(moved->read, n * sizeof(float));
    }
    const std::vector<float> found = sums.host();
    EXPECT_EQ(found[0] + found[1], static_cast<float>(n));  // sums of ones are exact below 2^24
  }
}

}  // namespace
}  // namespace dachlast::kernels::cuda
