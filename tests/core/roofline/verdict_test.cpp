#include "core/roofline/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/roofline/round_run.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;
using testing::point_of;
using testing::round_run;

/// One second of which the roofs would need these shares, in one call without gaps.
Load load_of(double memory, double compute) {
  return {.time = Seconds{1.0},
          .busy_time = Seconds{1.0},
          .memory_time = Seconds{memory},
          .compute_time = Seconds{compute},
          .least_time = Seconds{std::max(memory, compute)},
          .n_calls = 1};
}

Verdict judged(const Load& load) {
  return judge(load, 0.6).value();
}

TEST(Verdict, TheLargerUtilisationAtTheThresholdNamesTheBound) {
  EXPECT_EQ(judged(load_of(0.60, 0.10)).bound, Bound::kMemory);
  EXPECT_EQ(judged(load_of(0.10, 0.60)).bound, Bound::kCompute);
  EXPECT_EQ(judged(load_of(0.59, 0.10)).bound, Bound::kLatency);
}

TEST(Verdict, BothHighAndWithinTenPointsIsNearTheRidge) {
  EXPECT_EQ(judged(load_of(0.70, 0.62)).bound, Bound::kNearRidge);
  EXPECT_EQ(judged(load_of(0.62, 0.70)).bound, Bound::kNearRidge);
  EXPECT_EQ(judged(load_of(0.75, 0.62)).bound, Bound::kMemory);  // 13 points apart
  EXPECT_EQ(judged(load_of(0.62, 0.58)).bound, Bound::kMemory);  // only one is high
}

TEST(Verdict, TheThresholdIsASetting) {
  EXPECT_EQ(judge(load_of(0.5, 0.1), 0.5)->bound, Bound::kMemory);
  EXPECT_DOUBLE_EQ(judge(load_of(0.5, 0.1), 0.5)->threshold, 0.5);
}

TEST(Verdict, SpeedupIsTimeOverLeastTime) {
  EXPECT_DOUBLE_EQ(judged(load_of(0.8, 0.1)).speedup_at_roof, 1.25);  // 1 / 0.8
}

TEST(Verdict, OverOneHundredPercentIsFlaggedAndNotClipped) {
  EXPECT_TRUE(judged(load_of(1.18, 0.1)).above_roof);
  EXPECT_DOUBLE_EQ(judged(load_of(1.18, 0.1)).utilisation.memory, 1.18);
  EXPECT_FALSE(judged(load_of(1.0, 0.1)).above_roof);
}

TEST(Verdict, WithoutTimeThereIsNoVerdict) {
  EXPECT_FALSE(judge(Load{}, 0.6).has_value());
}

TEST(LatencyReason, EngineGapsWhereABoundWouldHoldInsideOperations) {
  Load load = load_of(0.5, 0.1);
  load.busy_time = Seconds{0.8};  // 0.5 / 0.8 = 62.5 % inside operations
  EXPECT_EQ(judged(load).reason, LatencyReason::kEngineGaps);
  load.busy_time = Seconds{0.9};  // 0.5 / 0.9 = 56 %: gaps alone do not explain it
  EXPECT_NE(judged(load).reason, LatencyReason::kEngineGaps);
}

TEST(LatencyReason, MixedOperationsWhereEachIsNearItsOwnRoof) {
  Load load = load_of(0.45, 0.45);
  load.least_time = Seconds{0.85};
  EXPECT_EQ(judged(load).reason, LatencyReason::kMixedOperations);
}

TEST(LatencyReason, LittleWorkPerCallBelowTwentyMicroseconds) {
  Load load = load_of(0.1, 0.1);
  load.n_calls = 100'000;  // 10 µs each
  EXPECT_EQ(judged(load).reason, LatencyReason::kLittleWorkPerCall);
  load.n_calls = 50'000;  // 20 µs each
  EXPECT_NE(judged(load).reason, LatencyReason::kLittleWorkPerCall);
}

TEST(LatencyReason, TheRestInOrder) {
  EXPECT_EQ(judged(load_of(0.35, 0.30)).reason, LatencyReason::kNotOverlapped);
  Load cached = load_of(0.2, 0.1);
  cached.level = MemoryLevel::kL2;
  EXPECT_EQ(judged(cached).reason, LatencyReason::kCacheResident);
  EXPECT_EQ(judged(load_of(0.2, 0.1)).reason, LatencyReason::kBelowRoofs);
  EXPECT_EQ(judged(load_of(0.8, 0.1)).reason, LatencyReason::kNone);
}

// 1 GB of weights against 10 GB/s takes 0.1 s, 1 GFLOP against 100 GFLOP/s 0.01 s.
const OpCost kMemoryHeavy{.flops = Flops{1e9}, .weight_bytes = Bytes{1e9}};
// 1 GB and 100 GFLOP: 0.1 s and 1 s.
const OpCost kComputeHeavy{.flops = Flops{100e9}, .weight_bytes = Bytes{1e9}};

TEST(JudgeRun, APointIsJudgedByItsMedian) {
  dachlast::Run run = round_run();
  run.points = {point_of(Phase::kDecode, 512, {0.125, 0.125, 9.0}, kMemoryHeavy)};
  const Verdict verdict = judge_point(run, run.points[0]).value();
  EXPECT_EQ(verdict.bound, Bound::kMemory);
  EXPECT_DOUBLE_EQ(verdict.utilisation.memory, 0.8);    // 0.1 / 0.125
  EXPECT_DOUBLE_EQ(verdict.utilisation.compute, 0.08);  // 0.01 / 0.125
  EXPECT_EQ(verdict.load.level, MemoryLevel::kDram);
  EXPECT_DOUBLE_EQ(verdict.speedup_at_roof, 1.25);
}

TEST(JudgeRun, PhasesAndRunAddUpTheirPoints) {
  dachlast::Run run = round_run();
  run.points = {point_of(Phase::kDecode, 512, {0.125}, kMemoryHeavy),
                point_of(Phase::kPrefill, 512, {1.0}, kComputeHeavy)};
  EXPECT_EQ(judge_phase(run, Phase::kDecode)->bound, Bound::kMemory);
  EXPECT_EQ(judge_phase(run, Phase::kPrefill)->bound, Bound::kCompute);
  const Verdict whole = judge_run(run).value();
  EXPECT_EQ(whole.bound, Bound::kCompute);
  EXPECT_DOUBLE_EQ(whole.utilisation.compute, 1.01 / 1.125);
  EXPECT_DOUBLE_EQ(whole.utilisation.memory, 0.2 / 1.125);
}

TEST(JudgeRun, OperationsOfDifferentLevelsAreEachHeldAgainstTheirOwn) {
  dachlast::Run run = round_run();
  MeasuredPoint point = point_of(Phase::kDecode, 512, {0.2}, kMemoryHeavy);
  const OpCost residual{.activation_bytes = Bytes{2e6}};  // in 2 calls of 1 MB: L2 at 200 GB/s
  point.ops.push_back({OpKind::kResidual, 2, Seconds{20e-6}, residual, DType::kF32});
  run.points = {point};
  EXPECT_EQ(roofline_of(run, point, point.ops[1]).memory().level, MemoryLevel::kL2);
  const Verdict of_op = judge_op(run, point, point.ops[1]).value();
  EXPECT_DOUBLE_EQ(of_op.utilisation.memory, 0.5);  // 2e6 / (20e-6 · 200e9)
  EXPECT_EQ(of_op.load.level, MemoryLevel::kL2);
  EXPECT_DOUBLE_EQ(judge_point(run, point)->utilisation.memory, (0.1 + 10e-6) / 0.2);
}

TEST(JudgeRun, SubstitutedRoofsAreSaid) {
  dachlast::Run run = round_run();
  MeasuredPoint point = point_of(Phase::kDecode, 512, {0.125}, kMemoryHeavy);
  point.ops[0].arithmetic = DType::kBF16;
  run.points = {point};
  EXPECT_THAT(judge_run(run)->roof_remark, HasSubstr("No BF16 compute roof"));
}

TEST(JudgeRun, NothingMeasuredNoVerdict) {
  dachlast::Run run = round_run();
  EXPECT_FALSE(judge_run(run).has_value());
  run.points = {point_of(Phase::kDecode, 512, {0.125}, kMemoryHeavy)};
  EXPECT_FALSE(judge_phase(run, Phase::kPrefill).has_value());
  run.points[0].samples_s.clear();
  EXPECT_FALSE(judge_run(run).has_value());
}

TEST(JudgeRun, MissingRoofsAreAnError) {
  dachlast::Run run = round_run();
  run.points = {point_of(Phase::kDecode, 512, {0.125}, kMemoryHeavy)};
  run.roofs = {};
  EXPECT_THROW(judge_run(run), Error);
}

TEST(Bound, MachineNames) {
  EXPECT_EQ(name_of(Bound::kMemory), "memory");
  EXPECT_EQ(name_of(Bound::kCompute), "compute");
  EXPECT_EQ(name_of(Bound::kNearRidge), "near_ridge");
  EXPECT_EQ(name_of(Bound::kLatency), "latency");
}

}  // namespace
}  // namespace dachlast
