#include "kernels/cuda/gemm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "tests/kernels/cuda/device_memory.h"
#include "tests/kernels/test_data.h"

namespace dachlast::kernels::cuda {
namespace {

using kernels::testing::skewed;
using testing::DeviceArray;

TEST(CudaGemm, AMissingLibraryIsNamed) {
  try {
    const Gemm gemm("libno-such-library.so");
    FAIL() << "opened nothing";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_EQ(error.subject(), "libno-such-library.so");
  }
}

TEST(CudaGemm, AnotherLibraryIsRefused) {
  EXPECT_THROW(Gemm("libm.so.6"), Error);
}

TEST(CudaGemm, WithoutADeviceTheReasonIsCublass) {
  if (testing::why_no_device().empty()) GTEST_SKIP() << "there is a device";
  try {
    const Gemm gemm(DACHLAST_CUBLASLT_LIBRARY);
    FAIL() << "started without a device";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_EQ(error.subject(), "cuBLASLt");
    EXPECT_EQ(error.reason(), "start: CUBLAS_STATUS_NOT_INITIALIZED");
  }
}

class CudaGemmOnGpu : public testing::CudaTest {};

TEST_F(CudaGemmOnGpu, MultipliesInBf16) {
  constexpr int kM = 5, kN = 48, kK = 64;
  const auto x = skewed<BF16>(kM * kK, 1), w = skewed<BF16>(kN * kK, 2);
  const DeviceArray<BF16> device_x(x.span()), device_w(w.span());
  DeviceArray<float> y(kM * kN);
  DeviceArray<std::byte> workspace(kGemmWorkspaceBytes);
  Gemm gemm(DACHLAST_CUBLASLT_LIBRARY);
  for (int again = 0; again < 2; ++again)  // the second time with the algorithm kept
    gemm.run(
        {kM, kN, kK, GemmType::kBF16},
        {device_x.span().data(), device_w.span().data(), y.span().data(), workspace.span().data(), kGemmWorkspaceBytes},
        nullptr);
  const std::vector<float> found = y.host();
  for (int i = 0; i < kM; ++i)
    for (int j = 0; j < kN; ++j) {
      double sum = 0.0, terms = 0.0;
      for (int l = 0; l < kK; ++l) {
        const double term = static_cast<double>(to_float(x[i * kK + l])) * to_float(w[j * kK + l]);
        sum += term;
        terms += std::abs(term);
      }
      // Products of bf16 are exact in float; 64 sums round once each.
      ASSERT_NEAR(found[static_cast<std::size_t>(i * kN + j)], sum, 12.0 * kernels::testing::kEpsilon * terms);
    }
}

}  // namespace
}  // namespace dachlast::kernels::cuda
