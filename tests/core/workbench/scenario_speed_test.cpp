#include "core/workbench/scenario_speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/workbench/scenario_view.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

ScenarioPlan timed_plan(std::string model, std::string device, int context, int batch, std::string engine = "vllm") {
  ScenarioPlan plan = plan_scenario(find_scenario({.model = std::move(model),
                                                   .device = std::move(device),
                                                   .weights = {},
                                                   .cache = {},
                                                   .engine = std::move(engine),
                                                   .layout = {},
                                                   .limits = {}}),
                                    context, batch);
  predict_speed(plan, {});
  return plan;
}

TEST(SplitContext, AnswersTakeAnEighthAndAtMostFiveHundredAndTwelve) {
  EXPECT_EQ(split_context(800, {}, 1).output_tokens, 100);
  EXPECT_EQ(split_context(800, {}, 1).prompt_tokens, 700);
  EXPECT_EQ(split_context(32768, {}, 1).output_tokens, 512);
  EXPECT_EQ(split_context(1000, {.prompt_tokens = 600, .output_tokens = {}}, 1).output_tokens, 400);
  EXPECT_EQ(split_context(1000, {.prompt_tokens = {}, .output_tokens = 10}, 3).prompt_tokens, 990);
  EXPECT_THROW(split_context(1000, {.prompt_tokens = 600, .output_tokens = 500}, 1), Error);
  EXPECT_THROW(split_context(1000, {.prompt_tokens = 0, .output_tokens = {}}, 1), Error);
}

TEST(PredictSpeed, WhatFitsHasASpeedWithAnInterval) {
  const ScenarioPlan plan = timed_plan("llama-3.1-8b", "h100", 8192, 8);
  ASSERT_TRUE(plan.speed && plan.speed->predicted.speed);
  const ServedSpeed& speed = *plan.speed->predicted.speed;
  // 15.0 GB of weights over 3.35 TB/s are 4.48 ms; eight sequences and their prompts beside them take more.
  EXPECT_GT(speed.tpot_s->value, 4.48e-3);
  ASSERT_TRUE(speed.tpot_s->interval && speed.ttft_s.interval && speed.output_tokens_s.interval);
  EXPECT_LT(speed.tpot_s->interval->low, speed.tpot_s->value);
  EXPECT_GT(speed.tpot_s->interval->high, speed.tpot_s->value);
  // Eight clients cannot get more than eight tokens a step.
  EXPECT_LE(speed.output_tokens_s.value, 8.0 / speed.tpot_s->value * 1.01);
  EXPECT_EQ(speed_table(*plan.speed).rows.size(), 3U);
}

TEST(PredictSpeed, WhatDoesNotFitHasNone) {
  const ScenarioPlan plan = timed_plan("llama-3.1-70b", "h100", 8192, 1);
  ASSERT_TRUE(plan.speed.has_value());
  EXPECT_FALSE(plan.speed->predicted.speed.has_value());
  EXPECT_EQ(plan.speed->predicted.reason, "it does not fit");
  EXPECT_TRUE(speed_table(*plan.speed).rows.empty());
}

TEST(PredictSpeed, SaysWhyNothingIsKnown) {
  EXPECT_THAT(timed_plan("llama-3.1-8b", "", 8192, 1).speed->predicted.reason, HasSubstr("no device"));
  EXPECT_THAT(no_speed_reason(find_engine("vllm"), find_device("epyc-9654")), HasSubstr("processor"));
  EXPECT_THAT(no_speed_reason(find_engine("vllm"), find_device("h100-nvl")), HasSubstr("no peak"));
  EXPECT_EQ(no_speed_reason(find_engine("vllm"), find_device("h100-sxm")), "");
  EXPECT_THAT(timed_plan("llama-3.1-8b", "h100", 8192, 1, "dachlast").speed->predicted.reason,
              HasSubstr("dachlast run"));
}

TEST(PredictSpeed, DevicesWithoutMeasurementsInheritAndSaySo) {
  const ScenarioPlan own = timed_plan("llama-3.1-8b", "h100-sxm", 8192, 1);
  const ScenarioPlan family = timed_plan("llama-3.1-8b", "h100-pcie", 8192, 1);
  EXPECT_EQ(family.speed->predicted.speed->origin, EfficiencyOrigin::kFamily);
  EXPECT_THAT(speed_sentence(*family.speed), HasSubstr("measured on its family"));
  const auto width = [](const ScenarioPlan& plan) {
    const SpeedFigure& tpot = *plan.speed->predicted.speed->tpot_s;
    return tpot.interval->high / tpot.interval->low;
  };
  EXPECT_GT(width(family), width(own));
}

TEST(SweepSpeeds, CellsThatDoNotFitHaveNone) {
  const Scenario scenario = find_scenario({.model = "llama-3.1-8b",
                                           .device = "l4",
                                           .weights = {},
                                           .cache = {},
                                           .engine = "vllm",
                                           .layout = {},
                                           .limits = {}});
  const ScenarioSweep sweep = sweep_scenario(scenario, {1024, 65536}, {1, 16});
  const SweepSpeeds speeds = sweep_speeds(sweep, {});
  ASSERT_EQ(speeds.cells.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(speeds.cells[i].has_value(), sweep.cells[i].total() <= scenario.planner->budget_bytes()) << i;
  EXPECT_TRUE(speeds.cells[0].has_value());
  EXPECT_FALSE(speeds.cells[3].has_value());  // 16 · 65,536 · 128 KiB are 128 GiB
}

// Twice the predicted time at the measured load doubles it at another; far loads stay.
TEST(PredictSpeed, OneMeasuredLoadCorrectsOthersLikeIt) {
  const ScenarioPlan plain = timed_plan("llama-3.1-8b", "h100", 2048, 8);
  const ServedSpeed before = *plain.speed->predicted.speed;
  ScenarioPlan held = plain;
  predict_speed(held, {}, MeasuredSpeed{.load = plain.speed->load, .ttft_s = 2.0 * before.ttft_s.value, .tpot_s = {}});
  EXPECT_NEAR(held.speed->predicted.speed->ttft_s.value, 2.0 * before.ttft_s.value, 1e-12);
  EXPECT_DOUBLE_EQ(held.speed->predicted.speed->tpot_s->value, before.tpot_s->value);
  EXPECT_THAT(speed_sentence(*held.speed), testing::StartsWith("Speed: held to TTFT "));
  ScenarioPlan far = plain;
  ServedLoad other = plain.speed->load;
  other.n_sequences = 64;
  predict_speed(far, {}, MeasuredSpeed{.load = other, .ttft_s = 10.0, .tpot_s = {}});
  EXPECT_DOUBLE_EQ(far.speed->predicted.speed->ttft_s.value, before.ttft_s.value);
  EXPECT_THAT(speed_sentence(*far.speed), HasSubstr("says nothing of so many more or fewer"));
}

TEST(SweepSpeeds, CellsLikeTheMeasuredLoadAreHeldToIt) {
  const Scenario scenario = timed_plan("llama-3.1-8b", "h100", 2048, 8).scenario;
  const ScenarioSweep sweep = sweep_scenario(scenario, {2048}, {8, 64});
  const SweepSpeeds plain = sweep_speeds(sweep, {});
  const MeasuredSpeed measured{.load = split_context(2048, {}, 8), .ttft_s = {}, .tpot_s = 0.1};
  const SweepSpeeds held = sweep_speeds(sweep, {}, measured);
  EXPECT_NEAR(held.cells[0]->tpot_s->value, 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(held.cells[1]->tpot_s->value, plain.cells[1]->tpot_s->value);  // eight times the clients
}

}  // namespace
}  // namespace dachlast
