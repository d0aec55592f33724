#include "core/planner/cpu_time.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "kernels/cost.h"
#include "tests/core/planner/made_up_curves.h"

namespace dachlast {
namespace {

OpFeatures projection(double rows, double n, double k, const char* type = "f32") {
  return {OpKind::kMlpUp, type, rows, n, k, 0.0, 0.0, 0.0};
}

TEST(CpuCurves, FindsTheLawOfProjectionsBetweenShapes) {
  const CpuCurves fitted(made_up_curves());
  EXPECT_NEAR(fitted.estimate(projection(1, 1500, 700), 1e9).seconds, 2e-6 + 20e-12 * 1500 * 700, 1e-9);
  EXPECT_NEAR(fitted.estimate(projection(256, 1500, 700), 1e9).seconds, 2e-6 + 20e-12 * 1500 * 700 * 256, 1e-6);
  // between 16 and 256 rows ln t is linear in ln rows: at 64 the geometric mean of both ends
  const double low = 2e-6 + 20e-12 * 1500 * 700 * 16;
  const double high = 2e-6 + 20e-12 * 1500 * 700 * 256;
  EXPECT_NEAR(fitted.estimate(projection(64, 1500, 700), 1e9).seconds, std::sqrt(low * high), 1e-6);
}

TEST(CpuCurves, WeightsThatFitTheCacheComeFromThere) {
  const CpuCurves fitted(made_up_curves());
  const OpFeatures f = projection(1, 1500, 700);
  EXPECT_NEAR(fitted.estimate(f, 0.5 * kMadeUpCache).seconds, 2e-6 + 5e-12 * 1500 * 700, 1e-9);
  EXPECT_NEAR(fitted.estimate(f, 3.0 * kMadeUpCache).seconds, 2e-6 + 20e-12 * 1500 * 700, 1e-9);
  const double between = fitted.estimate(f, kMadeUpCache).seconds;
  EXPECT_GT(between, 2e-6 + 5e-12 * 1500 * 700);
  EXPECT_LT(between, 2e-6 + 20e-12 * 1500 * 700);
}

TEST(CpuCurves, AttentionFollowsItsCacheAndItsProducts) {
  const CpuCurves fitted(made_up_curves());
  const OpFeatures decode = attention(1.0, 2500.0, 8.0, 4.0, 0.0).features;
  EXPECT_NEAR(fitted.estimate(decode, 1e9).seconds, 1e-6 + 2500.0 * 4.0 * 64.0 * 8.0 / 10e9, 1e-8);
  // ln of the rate is linear in ln q: at 256, the middle of 64 and 1,024, sqrt(100 · 400) = 200 GFLOP/s
  const OpFeatures prefill = attention(256.0, 256.0, 8.0, 8.0, 0.0).features;
  EXPECT_NEAR(fitted.estimate(prefill, 1e9).seconds, prefill.flops / 200e9, 1e-9 * prefill.flops);
}

TEST(CpuCurves, ElementwiseOperationsLieOnALine) {
  const CpuCurves fitted(made_up_curves());
  const OpFeatures middle{OpKind::kNorm, "rms", 0.0, 10000.0, 0.0, 0.0, 0.0, 0.0};
  EXPECT_NEAR(fitted.estimate(middle, 1e9).seconds, std::sqrt(1e-6 * 1e-5), 1e-9);  // halfway in logarithms
  OpFeatures large = middle;
  large.n = 400000.0;
  EXPECT_NEAR(fitted.estimate(large, 1e9).seconds, 4e-5, 1e-9);  // four times the largest that was timed
}

TEST(CpuCurves, OtherGroupsStandForATypeAndOtherTypesForNone) {
  HostCurves with_int8 = made_up_curves();
  for (OpSample& s : with_int8.samples)
    if (s.features.op == OpKind::kQkvProj) s.features.type = "int8";
  const CpuCurves fitted(with_int8);
  EXPECT_GT(fitted.estimate(projection(1, 1500, 700, "int8:32"), 1e9).seconds, 0.0);
  EXPECT_THROW(fitted.estimate(projection(1, 1500, 700, "bf16"), 1e9), Error);
  EXPECT_THROW(CpuCurves(HostCurves{}), Error);
}

TEST(CpuTimer, AddsUpTheOperationsOfAStep) {
  const ModelSpec gpt2 = resolve_model("gpt2").spec;
  const CpuCurves fitted(made_up_curves());
  const CpuTimer timer(gpt2, {.weights = DType::kF32, .kv = {KvFormat::kF32}}, fitted);
  const Step step{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 500};
  const auto ops = build_op_list(gpt2, step, {.weights = DType::kF32, .kv = {KvFormat::kF32}});
  double sum = 1e-7 * static_cast<double>(ops.size());
  for (const Op& op : ops) sum += fitted.estimate(features_of(op, kernels::op_cost(op.shape).flops.value), 1e9).seconds;
  EXPECT_NEAR(timer.seconds(step), sum, 1e-9);
  double parts = 0.0;
  for (const TimedPart& part : timer.parts(StepLoad{.decode_sequences = 1, .decode_kv = 500})) parts += part.seconds;
  EXPECT_NEAR(parts, sum, 1e-9);
}

TEST(CpuTimer, RefusesModelsTheEngineHasNoKernelsFor) {
  EXPECT_THROW(CpuTimer(resolve_model("mixtral-8x7b").spec, {.weights = DType::kF32, .kv = {KvFormat::kF32}},
                        CpuCurves(made_up_curves())),
               Error);
}

}  // namespace
}  // namespace dachlast
