#include "core/profile/traced_op.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

const std::string kBf16 = "c10::BFloat16";

TEST(TracedOp, ProductCountsEachOperandOnce) {
  const auto op = traced_op("aten::mm", {{{8944, 1024}, {1024, 2816}}, {kBf16, kBf16}, {"", ""}});
  ASSERT_TRUE(op);
  EXPECT_EQ(op->kind, TracedOpKind::kGemm);
  EXPECT_DOUBLE_EQ(op->cost.flops.value, 2.0 * 8944 * 2816 * 1024);
  // Weights 1024 · 2816, inputs 8944 · 1024, outputs 8944 · 2816, 2 bytes each: TraceLens states 71.0078125 MiB.
  EXPECT_DOUBLE_EQ(op->cost.bytes().value, 71.0078125 * 1024 * 1024);
  EXPECT_EQ(op->arithmetic, ComputeType::kBf16);
}

TEST(TracedOp, BiasAddsOneAddPerOutputAndItsBytes) {
  const auto op = traced_op(
      "aten::addmm", {{{1024}, {8944, 1024}, {1024, 1024}, {}, {}}, {kBf16, kBf16, kBf16, "Scalar", "Scalar"}, {}});
  ASSERT_TRUE(op);
  EXPECT_DOUBLE_EQ(op->cost.flops.value, 18.766086144e9);                // TraceLens: GFLOPS_first
  EXPECT_DOUBLE_EQ(op->cost.bytes().value, 36.939453125 * 1024 * 1024);  // TraceLens: Data Moved (MB)_first
}

TEST(TracedOp, LinearLayersKeepWeightsAsRows) {
  const auto op = traced_op("aiter::gemm_a16w16", {{{32, 4096}, {24576, 4096}, {}}, {kBf16, kBf16, ""}, {}});
  ASSERT_TRUE(op);
  EXPECT_DOUBLE_EQ(op->cost.flops.value, 6.442450944e9);
  EXPECT_DOUBLE_EQ(op->cost.bytes().value, 193.75 * 1024 * 1024);
}

TEST(TracedOp, StacksOfMatricesMultiplyByTheirNumber) {
  const auto op = traced_op("aten::bmm", {{{16, 32, 1}, {16, 1, 559}}, {"float", "float"}, {}});
  ASSERT_TRUE(op);
  EXPECT_DOUBLE_EQ(op->cost.flops.value, 2.0 * 16 * 32 * 559);
  EXPECT_EQ(op->shape, "batch 16 · m 32 · n 559 · k 1");
}

TEST(TracedOp, CausalAttentionSeesHalfThePairs) {
  const std::vector<std::int64_t> dims = {16, 16, 559, 64};
  const auto op = traced_op("aten::_scaled_dot_product_flash_attention",
                            {{dims, dims, dims, {}, {}, {}, {}},
                             {kBf16, kBf16, kBf16, "Scalar", "Scalar", "Scalar", "Scalar"},
                             {"", "", "", "0.", "True", "False", "0.125"}});
  ASSERT_TRUE(op);
  // 16 sequences · 16 heads · 559² / 2 pairs · 4 · 64 FLOP; TraceLens: 10.239377408 GFLOP, 69.875 MiB.
  EXPECT_DOUBLE_EQ(op->cost.flops.value, 10.239377408e9);
  EXPECT_DOUBLE_EQ(op->cost.bytes().value, 69.875 * 1024 * 1024);
}

TEST(TracedOp, WhatIsNotKnownIsNotCounted) {
  EXPECT_FALSE(traced_op("aten::mul", {{{2, 2}, {2, 2}}, {kBf16, kBf16}, {}}));
  EXPECT_FALSE(traced_op("aten::mm", {{{2, 3}, {4, 5}}, {kBf16, kBf16}, {}}));      // inner sizes differ
  EXPECT_FALSE(traced_op("aten::mm", {{{2, 3}, {3, 5}}, {kBf16, "Mystery"}, {}}));  // unknown type
  EXPECT_FALSE(traced_op("aten::mm", {{{2, 3}}, {kBf16}, {}}));
  EXPECT_FALSE(traced_op("aten::mm", {}));
}

}  // namespace
}  // namespace dachlast
