#include "kernels/cuda/probes.h"

#include <numeric>

#include "tests/kernels/cuda/device_memory.h"

namespace dachlast::kernels::cuda {
namespace {

using testing::counted;
using testing::DeviceArray;
using testing::start_counting;

class CudaProbes : public testing::CudaTest {};

// Vectors of four, around what a block of 256 threads reads at a time.
constexpr std::size_t kSizes[] = {4, 128, 1024, 1028, 4096, 10'000};

TEST_F(CudaProbes, ReadsEveryElementInEveryPass) {
  for (const std::size_t n : kSizes) {
    std::vector<float> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = static_cast<float>(i % 7);
    const DeviceArray<float> in(values);
    DeviceArray<float> sums(read_passes_sums(n));
    start_counting();
    read_passes(in.span(), 3, sums.span(), nullptr);
    if (const auto moved = counted()) {
      EXPECT_EQ(moved->read, n * sizeof(float));
      EXPECT_EQ(moved->written, sums.span().size_bytes());
    }
    const std::vector<float> found = sums.host();
    // Small whole numbers: exact in float, whatever the order.
    EXPECT_EQ(std::accumulate(found.begin(), found.end(), 0.0),
              3.0 * std::accumulate(values.begin(), values.end(), 0.0))
        << n;
  }
}

TEST_F(CudaProbes, CopyAndWriteTouchEveryElementOnce) {
  for (const std::size_t n : kSizes) {
    std::vector<float> values(n);
    std::iota(values.begin(), values.end(), 1.0f);
    const DeviceArray<float> in(values);
    DeviceArray<float> out(n);
    start_counting();
    copy_passes(in.span(), 2, out.span(), nullptr);
    if (const auto moved = counted()) {
      EXPECT_EQ(moved->read, n * sizeof(float));
      EXPECT_EQ(moved->written, n * sizeof(float));
    }
    EXPECT_EQ(out.host(), values);
    write_probe(out.span(), nullptr);
    EXPECT_EQ(out.host(), std::vector<float>(n, 1.0f));
  }
}

TEST_F(CudaProbes, TheEmptyOneTouchesNothing) {
  start_counting();
  empty_probe(nullptr);
  if (const auto moved = counted()) {
    EXPECT_EQ(moved->read + moved->written, 0U);
  }
}

}  // namespace
}  // namespace dachlast::kernels::cuda
