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

TEST(AtDramRate, FollowsTheRateAsFarAsTheOperationWaitsForIt) {
  // 60 GB at 60 GB/s take the whole second: at half the rate two, at twice the rate half
  EXPECT_DOUBLE_EQ(at_dram_rate(1.0, 60e9, 60e9, 30e9), 2.0);
  EXPECT_DOUBLE_EQ(at_dram_rate(1.0, 60e9, 60e9, 120e9), 0.5);
  // half the second: w⁴ = 1/16; at half the rate (1 - 1/16 + 1)^¼ = 1.9375^¼
  EXPECT_NEAR(at_dram_rate(1.0, 30e9, 60e9, 30e9), std::pow(1.9375, 0.25), 1e-12);
  EXPECT_DOUBLE_EQ(at_dram_rate(1.0, 0.0, 60e9, 30e9), 1.0);
  EXPECT_DOUBLE_EQ(at_dram_rate(1.0, 90e9, 60e9, 30e9), 1.0);  // 1.5 times what DRAM gives: from a cache
  EXPECT_DOUBLE_EQ(at_dram_rate(1.0, 60e9, 0.0, 30e9), 1.0);   // never probed
  EXPECT_DOUBLE_EQ(at_dram_rate(1.0, 60e9, 60e9, 0.0), 1.0);
}

/// Two shapes of which each call is its traffic of 4 bytes an element, the second timed while DRAM gave half as much.
HostCurves curves_while_memory_drifts() {
  HostCurves curves;
  for (const auto& [n, rate] : {std::pair(1000.0, 60e9), std::pair(2000.0, 60e9), std::pair(4000.0, 30e9)}) {
    OpSample made = sample(OpKind::kMlpUp, "f32", 1.0, n, 1000.0, 4000.0 * n / rate);
    made.features.bytes = 4000.0 * n;
    made.dram_rate = rate;
    curves.samples.push_back(made);
  }
  return curves;
}

TEST(CpuCurves, HoldForTheRateOfDramThatIsAskedFor) {
  const CpuCurves fitted(curves_while_memory_drifts());
  EXPECT_DOUBLE_EQ(fitted.dram_rate(), 60e9);  // the median of 60, 60 and 30
  OpFeatures f = projection(1, 3000, 1000);
  f.bytes = 12e6;
  EXPECT_NEAR(fitted.estimate(f, 1e9).seconds, 12e6 / 60e9, 1e-7);
  EXPECT_NEAR(fitted.at_dram_rate(40e9).estimate(f, 1e9).seconds, 12e6 / 40e9, 1e-7);
}

TEST(CpuTimer, AddsUpTheOperationsOfAStep) {
  const ModelSpec gpt2 = resolve_model("gpt2").spec;
  const CpuCurves fitted(made_up_curves());
  const CpuTimer timer(gpt2, {.weights = DType::kF32, .kv = {KvFormat::kF32}}, fitted);
  const Step step{.phase = Phase::kDecode, .batch_size = 1, .q_len = 1, .kv_len = 500};
  const auto ops = build_op_list(gpt2, step, {.weights = DType::kF32, .kv = {KvFormat::kF32}});
  double sum = 1e-7 * static_cast<double>(ops.size());
  for (const Op& op : ops) sum += fitted.estimate(features_of(op, kernels::op_cost(op.shape)), 1e9).seconds;
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
