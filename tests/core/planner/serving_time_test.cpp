#include "core/planner/serving_time.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"

namespace dachlast {
namespace {

const EfficiencyCatalog& curves() {
  static const EfficiencyCatalog catalog(data_dir() / "efficiency");
  return catalog;
}

TimeScenario scenario(const char* model, const char* device) {
  return {.model = resolve_model(model).spec,
          .weights = plain_weights(*storage_format("bf16")),
          .cache = *cache_format("bf16"),
          .device = find_device(device),
          .layout = {},
          .engine = find_engine("vllm")};
}

TEST(StepTime, DecodeTakesAtLeastTheTimeToReadTheWeights) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const double seconds = timer.seconds({.decode_sequences = 1, .decode_kv = 1000});
  // 7.50 B parameters without the token table · 2 B over 3.35 TB/s = 4.48 ms; published steps take 5.5 to 7 ms
  EXPECT_GT(seconds, 4.48e-3);
  EXPECT_LT(seconds, 8e-3);
}

TEST(StepTime, SpeaksOfItsOrigin) {
  EXPECT_EQ(StepTimer(scenario("llama-3.1-8b", "h100-sxm"), curves()).origin(), EfficiencyOrigin::kDevice);
  EXPECT_EQ(StepTimer(scenario("llama-3.1-8b", "h100-pcie"), curves()).origin(), EfficiencyOrigin::kFamily);
  EXPECT_EQ(StepTimer(scenario("llama-3.1-8b", "mi300x"), curves()).origin(), EfficiencyOrigin::kGeneric);
}

TEST(StepTime, BreakdownAddsUpToTheKernels) {
  const StepTimer timer(scenario("qwen3-30b-a3b", "h200-sxm"), curves());
  const StepLoad load{.decode_sequences = 32, .decode_kv = 2000};
  double sum = 0.0;
  for (const OpSeconds& op : timer.breakdown(load)) sum += op.seconds;
  const SpeedFacts& facts = timer.scenario().engine.speed;
  EXPECT_NEAR(timer.seconds(load), sum + 1e-6 * (facts.step_us + 32 * facts.sequence_us), 1e-9);
}

TEST(StepTime, TwoRanksAreFasterThanOneAndSlowerThanHalf) {
  TimeScenario two = scenario("llama-3.1-70b", "h200-sxm");
  two.layout.tensor_parallel = 2;
  TimeScenario four = two;
  four.layout.tensor_parallel = 4;
  const StepLoad load{.decode_sequences = 8, .decode_kv = 2000};
  const double of_two = StepTimer(two, curves()).seconds(load);
  const double of_four = StepTimer(four, curves()).seconds(load);
  EXPECT_LT(of_four, of_two);
  EXPECT_GT(of_four, of_two / 2.0);
}

TEST(StepTime, ConstantSharesAreNeverSlowerThanTheirRoofs) {
  const EfficiencyCatalog roofs = EfficiencyCatalog::with_constant_shares(1.0, 1.0);
  TimeScenario plain = scenario("llama-3.1-8b", "h100-sxm");
  plain.engine.speed.step_us = plain.engine.speed.sequence_us = 0.0;
  const double seconds = StepTimer(plain, roofs).seconds({.decode_sequences = 1, .decode_kv = 1000});
  EXPECT_GT(seconds, 4.4e-3);  // weights over the listed bandwidth, as above
  EXPECT_LT(seconds, 4.8e-3);  // and 131 MB of cache and activations
}

TEST(ServingTime, AStaticBatchIsPromptsAndThenSteps) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const ServingLoad load{.input_tokens = 1000, .output_tokens = 101, .arrival = Arrival::kStatic, .n_clients = 4};
  const ServingTime time = serving_time(timer, load, {.max_num_batched_tokens = 8192});
  EXPECT_DOUBLE_EQ(time.output_tokens_s, 4 * 101 / (time.ttft_s + 100 * time.tpot_s));
}

TEST(ServingTime, MoreClientsMeanMoreTokensAndLongerGaps) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  ServingLoad load{.input_tokens = 1000, .output_tokens = 200, .arrival = Arrival::kClosed, .n_clients = 4};
  const ServingTime few = serving_time(timer, load, {});
  load.n_clients = 64;
  const ServingTime many = serving_time(timer, load, {});
  EXPECT_GT(many.output_tokens_s, few.output_tokens_s);
  EXPECT_GT(many.tpot_s, few.tpot_s);
}

TEST(ServingTime, WhatDoesNotFitWaits) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const ServingLoad load{
      .input_tokens = 1000, .output_tokens = 200, .arrival = Arrival::kAtOnce, .n_clients = 1, .n_requests = 100};
  const ServingTime roomy = serving_time(timer, load, {});
  const ServingTime tight = serving_time(timer, load, {.kv_tokens = 2400});  // two of 1,200
  EXPECT_LE(tight.mean_batch, 2.0);
  EXPECT_GT(tight.ttft_s, roomy.ttft_s);
}

TEST(ServingTime, RoomIsTakenAsAnswersGrowUnlessAnEngineReservesIt) {
  TimeScenario growing = scenario("llama-3.1-8b", "h100-sxm");
  TimeScenario reserving = growing;
  reserving.engine.id = "tensorrt-llm";
  const ServingLoad load{
      .input_tokens = 100, .output_tokens = 900, .arrival = Arrival::kAtOnce, .n_clients = 1, .n_requests = 40};
  // Room for four of 1,000 tokens, or for 40 prompts of 100.
  const ServingLimits limits{.kv_tokens = 4100};
  const double early = serving_time(StepTimer(growing, curves()), load, limits).ttft_s;
  const double late = serving_time(StepTimer(reserving, curves()), load, limits).ttft_s;
  EXPECT_LT(early, 0.8 * late);
  EXPECT_LE(serving_time(StepTimer(reserving, curves()), load, limits).mean_batch, 4.0);
}

TEST(ServingTime, RequestsWaitForTheNextLookAtArrivals) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const ServingLoad load{.input_tokens = 1000,
                         .output_tokens = 500,
                         .arrival = Arrival::kClosed,
                         .n_clients = 16,
                         .n_requests = 160,
                         .length_spread = 0.2};
  const ServingTime always = serving_time(timer, load, {});
  const ServingTime seldom = serving_time(timer, load, {.poll_passes = 30});
  // A request comes at any of the 30 passes between two looks and waits for 15 of them in the mean; a first request of each of the
  // 16 clients in ten, and those a prompt's pass follows at once, wait for none.
  EXPECT_GT(seldom.ttft_s, always.ttft_s + 3.0 * always.tpot_s);
  EXPECT_LT(seldom.ttft_s, always.ttft_s + 16.0 * always.tpot_s);
}

TEST(ServingTime, EqualQuestionsGetEqualAnswers) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const ServingLoad load{.input_tokens = 500, .output_tokens = 100, .n_clients = 8, .length_spread = 0.2};
  EXPECT_DOUBLE_EQ(serving_time(timer, load, {}).ttft_s, serving_time(timer, load, {}).ttft_s);
}

TEST(ServingTime, WaitsForWholePassesWhereTokensAreDrafted) {
  TimeScenario drafting = scenario("llama-3.1-8b", "h100-sxm");
  drafting.speculation = Speculation{.draft_tokens = 3, .acceptance = 0.65, .draft_share = 0.03};
  drafting.engine.speed.wait_passes = 0.0;
  const ServingLoad load{.input_tokens = 1000, .output_tokens = 200, .arrival = Arrival::kClosed, .n_clients = 1};
  const ServingTime at_once = serving_time(StepTimer(drafting, curves()), load, {});
  drafting.engine.speed.wait_passes = 10.0;
  const ServingTime waiting = serving_time(StepTimer(drafting, curves()), load, {});
  // A pass yields 1 + 0.65 + 0.65² + 0.65³ = 2.347125 tokens.
  EXPECT_NEAR(waiting.ttft_s - at_once.ttft_s, 10 * 2.347125 * waiting.tpot_s, 1e-9);
}

TEST(ServingTime, DraftedTokensTakeRoomOfPrompts) {
  TimeScenario drafting = scenario("llama-3.1-8b", "h100-sxm");
  drafting.engine.speed.wait_passes = 0.0;
  const ServingLoad load{.input_tokens = 1000, .output_tokens = 200, .arrival = Arrival::kClosed, .n_clients = 32};
  const ServingLimits limits{.max_num_batched_tokens =
                                 1064};  // one prompt beside 32 sequences of two tokens, half of one of four
  drafting.speculation = Speculation{.draft_tokens = 1, .acceptance = 0.0, .draft_share = 0.0};
  const double one = serving_time(StepTimer(drafting, curves()), load, limits).ttft_s;
  drafting.speculation->draft_tokens = 31;  // 32 · 32 = 1,024 tokens of 1,064: a prompt takes 25 passes
  EXPECT_GT(serving_time(StepTimer(drafting, curves()), load, limits).ttft_s, 3.0 * one);
}

}  // namespace
}  // namespace dachlast
