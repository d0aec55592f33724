#include "kernels/probe/peak.h"

#include <gtest/gtest.h>

namespace dachlast::kernels {
namespace {

/// Runs `check(variant)` for every build of a data type this CPU supports.
template <class Check>
void for_each_build(DType dtype, Check check) {
  for (const PeakVariant& variant : peak_variants()) {
    if (variant.arithmetic != dtype || !variant.supported()) continue;
    SCOPED_TRACE(variant.name);
    check(variant);
  }
}

TEST(PeakProbe, F32MultipliesAndAddsInEveryAccumulator) {
  for_each_build(DType::kF32, [](const PeakVariant& variant) {
    // x = 1/2, y = 3: 3, 4.5, 5.25, 5.625, 5.8125 after one to five rounds.
    EXPECT_EQ(variant.run(1, 0.5f, 3.0f), 3.0 * variant.n_accumulators);
    EXPECT_EQ(variant.run(2, 0.5f, 3.0f), 4.5 * variant.n_accumulators);
    EXPECT_EQ(variant.run(5, 0.5f, 3.0f), 5.8125 * variant.n_accumulators);
    // x = 1 counts the rounds.
    EXPECT_EQ(variant.run(1001, 1.0f, 1.0f), 1001.0 * variant.n_accumulators);
    EXPECT_EQ(variant.run(0, 1.0f, 1.0f), 0.0);
  });
}

TEST(PeakProbe, DotProductsAddTheirProducts) {
  for (const DType dtype : {DType::kBF16, DType::kI8}) {
    for_each_build(dtype, [](const PeakVariant& variant) {
      const double per_round = double{1} * variant.n_accumulators * variant.products;
      EXPECT_EQ(variant.run(1, 1.0f, 1.0f), per_round);
      EXPECT_EQ(variant.run(7, 3.0f, -2.0f), 7 * -6.0 * per_round);
      EXPECT_EQ(variant.run(1000, 2.0f, 1.0f), 1000 * 2.0 * per_round);
      EXPECT_EQ(variant.run(0, 1.0f, 1.0f), 0.0);
    });
  }
}

TEST(PeakProbe, Int8TakesItsLeftOperandUnsigned) {
  for_each_build(DType::kI8, [](const PeakVariant& variant) {
    // 200 would be −56 if it were read as signed.
    EXPECT_EQ(variant.run(1, 200.0f, -128.0f), 200.0 * -128.0 * variant.n_accumulators * variant.products);
  });
}

TEST(PeakProbe, WorkIsTwiceTheMultiplyAdds) {
  for (const PeakVariant& variant : peak_variants())
    EXPECT_EQ(variant.ops_per_round(), 2.0 * variant.n_accumulators * variant.products) << variant.name;
  // One AVX-512 round: 12 registers of 16 floats, 2 FLOP each: 384. One AMX-BF16 round: 6 tiles of 16 · 16 sums of 32
  // products: 6 · 256 · 32 · 2 = 98304.
  const auto ops_of = [](std::string_view name) {
    for (const PeakVariant& variant : peak_variants())
      if (variant.name == name) return variant.ops_per_round();
    return 0.0;
  };
  EXPECT_EQ(ops_of("reference"), 80.0);  // 10 vectors of 4 floats, 2 FLOP each
#if defined(__x86_64__)
  EXPECT_EQ(ops_of("avx512"), 384.0);      // 12 registers of 16 floats, 2 FLOP each
  EXPECT_EQ(ops_of("amx_bf16"), 98304.0);  // 6 tiles of 16 · 16 sums of 32 products, 2 FLOP each
#endif
}

TEST(PeakProbe, EveryCpuHasAnF32PeakAndNobodyHasAnF16One) {
  ASSERT_NE(peak_variant_for(DType::kF32), nullptr);
  EXPECT_TRUE(peak_variant_for(DType::kF32)->supported());
  EXPECT_EQ(peak_variant_for(DType::kF16), nullptr);
}

}  // namespace
}  // namespace dachlast::kernels
