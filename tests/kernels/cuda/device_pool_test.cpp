#include "kernels/cuda/device_pool.h"

#include <cuda_runtime_api.h>

#include "core/base/error.h"
#include "kernels/cuda/elementwise.h"
#include "tests/kernels/cuda/device_memory.h"

namespace dachlast::kernels::cuda {
namespace {

TEST(DevicePool, WithoutADeviceTheReasonIsTheRuntimes) {
  if (testing::why_no_device().empty()) GTEST_SKIP() << "there is a device";
  EXPECT_THROW(DevicePool(0), Error);
}

class DevicePoolOnGpu : public testing::CudaTest {};

TEST_F(DevicePoolOnGpu, AccountsForWhatItGives) {
  DevicePool pool(0);
  {
    const DeviceBlock weights = pool.allocate(1 << 20, DeviceSegment::kWeights, nullptr);
    DeviceBlock scratch = pool.allocate(1 << 16, DeviceSegment::kWorkspace, nullptr);
    scratch = pool.allocate(1 << 10, DeviceSegment::kWorkspace, nullptr);
    EXPECT_EQ(weights.bytes().size(), 1u << 20);
    EXPECT_EQ(pool.ledger().held(DeviceSegment::kWorkspace), 1u << 10);
    EXPECT_THROW(pool.allocate(std::size_t{1} << 50, DeviceSegment::kKvCache, nullptr), Error);
  }
  EXPECT_EQ(pool.ledger().held(DeviceSegment::kWeights), 0u);
  EXPECT_EQ(pool.ledger().total_peak(), (1u << 20) + (1u << 16) + (1u << 10));  // old and new scratch side by side
}

TEST_F(DevicePoolOnGpu, ACapturedStepRunsEachTimeItIsLaunched) {
  testing::DeviceArray<float> sum(std::vector<float>(100, 1.0f));
  const testing::DeviceArray<float> branch(std::vector<float>(100, 2.0f));
  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreate(&stream), cudaSuccess);
  {
    const CapturedStep step(stream, [&](Stream s) { residual({1, 100}, sum.span(), branch.span(), s); });
    for (int i = 0; i < 3; ++i) step.launch(stream);
    EXPECT_EQ(sum.host(), std::vector<float>(100, 7.0f));  // 1 + 3 · 2
  }
  cudaStreamDestroy(stream);
}

}  // namespace
}  // namespace dachlast::kernels::cuda
