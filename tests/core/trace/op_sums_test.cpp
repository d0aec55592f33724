#include "core/trace/op_sums.h"

#include <gtest/gtest.h>

namespace dachlast::trace {
namespace {

Span op_span(OpKind op, std::int64_t start_ns, std::int64_t end_ns, double flops, DType arithmetic = DType::kF32) {
  Span span;
  span.op = op;
  span.start_ns = start_ns;
  span.end_ns = end_ns;
  span.cost.flops = Flops{flops};
  span.cost.weight_bytes = Bytes{2 * flops};
  span.arithmetic = arithmetic;
  return span;
}

TEST(OpSums, AddsTheCallsOfAnOperationInOrderOfFirstCall) {
  OpSums sums;
  sums.add(op_span(OpKind::kNorm, 0, 10, 1));
  sums.add(op_span(OpKind::kQkvProj, 10, 40, 100));
  sums.add(op_span(OpKind::kNorm, 40, 55, 2));
  const auto result = sums.sums();
  ASSERT_EQ(result.size(), 2u);
  EXPECT_EQ(result[0].op, OpKind::kNorm);
  EXPECT_EQ(result[0].n_calls, 2);
  EXPECT_DOUBLE_EQ(result[0].time.value, 25e-9);  // 10 + 15 ns
  EXPECT_DOUBLE_EQ(result[0].cost.flops.value, 3.0);
  EXPECT_DOUBLE_EQ(result[0].cost.weight_bytes.value, 6.0);
  EXPECT_EQ(result[1].op, OpKind::kQkvProj);
  EXPECT_DOUBLE_EQ(sums.op_time().value, 55e-9);
  EXPECT_DOUBLE_EQ(sums.cost().flops.value, 103.0);
}

TEST(OpSums, StepsAreNotOperations) {
  OpSums sums;
  Span step = op_span(OpKind::kEmbed, 0, 1000, 0);
  step.zone = ZoneKind::kStep;
  sums.add(step);
  EXPECT_TRUE(sums.sums().empty());
  EXPECT_DOUBLE_EQ(sums.step_time().value, 1e-6);
  EXPECT_DOUBLE_EQ(sums.op_time().value, 0.0);
}

TEST(OpSums, TakesTheArithmeticOfTheLargestCall) {
  OpSums sums;
  sums.add(op_span(OpKind::kMlpUp, 0, 1, 5, DType::kF32));
  sums.add(op_span(OpKind::kMlpUp, 1, 2, 50, DType::kBF16));
  sums.add(op_span(OpKind::kMlpUp, 2, 3, 7, DType::kF32));
  EXPECT_EQ(sums.sums().at(0).arithmetic, DType::kBF16);
}

TEST(OpSums, ClearForgets) {
  OpSums sums;
  sums.add(op_span(OpKind::kMlpUp, 0, 1, 5));
  sums.clear();
  EXPECT_TRUE(sums.sums().empty());
  EXPECT_DOUBLE_EQ(sums.op_time().value, 0.0);
}

}  // namespace
}  // namespace dachlast::trace
