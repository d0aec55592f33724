#include "core/roofline/predict.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "kernels/linear.h"
#include "tests/core/roofline/round_run.h"

namespace dachlast {
namespace {

using testing::round_host;
using testing::round_roofs;

Op op_of(OpKind kind, const OpShape& shape) {
  return {kind, 0, shape, WeightRole::kNone, Buffer::kNormed, Buffer::kBranch, Rows::kAll};
}

TEST(Predict, SumsTheLargerOfWorkAndTrafficOverOperations) {
  // 40 MB of weights do not fit into 16 MB of L3: 1 row is bound by DRAM (10 GB/s), 1000 rows by f32 (100 GFLOP/s).
  const LinearShape one{1, 1000, 10'000, DType::kF32};
  const LinearShape thousand{1000, 1000, 10'000, DType::kF32};
  const std::vector<Op> ops = {op_of(OpKind::kMlpUp, one), op_of(OpKind::kMlpUp, thousand)};
  const double traffic_s = kernels::linear_cost(one).bytes().value / 10e9;  // 4.0 ms
  const double work_s = 2.0 * 1000 * 1000 * 10'000 / 100e9;                 // 0.2 s
  EXPECT_NEAR(traffic_s, 4.0e-3, 0.05e-3);
  EXPECT_DOUBLE_EQ(predict_step(ops, {round_roofs(), round_host(), 2}).value, traffic_s + work_s);
}

TEST(Predict, SmallStepsAreFedFromTheCacheThatHoldsThem) {
  const LinearShape small{1, 500, 500, DType::kF32};  // 1 MB of weights, two L2 caches of 1 MB
  const double expected_s = kernels::linear_cost(small).bytes().value / 200e9;
  EXPECT_DOUBLE_EQ(predict_step({op_of(OpKind::kMlpUp, small)}, {round_roofs(), round_host(), 2}).value, expected_s);
}

TEST(Predict, WithoutRoofsThereIsNoPrediction) {
  const std::vector<Op> ops = {op_of(OpKind::kMlpUp, LinearShape{1, 10, 10, DType::kF32})};
  EXPECT_THROW(predict_step(ops, {DeviceRoofs{}, round_host(), 2}), Error);
}

TEST(Predict, CostOfAStepIsTheSumOfItsOperations) {
  const LinearShape shape{1, 10, 10, DType::kF32};
  const std::vector<Op> ops = {op_of(OpKind::kMlpUp, shape), op_of(OpKind::kMlpDown, shape)};
  EXPECT_DOUBLE_EQ(cost_of(ops).flops.value, 400.0);  // 2 · (2 · 1 · 10 · 10)
}

}  // namespace
}  // namespace dachlast
