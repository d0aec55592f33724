#include "core/planner/advise_time.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/planner/advise.h"
#include "core/planner/serving_time.h"

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

double sum_of(const std::vector<TimedPart>& parts) {
  double sum = 0.0;
  for (const TimedPart& part : parts) sum += part.seconds;
  return sum;
}

/// A batch of one request a second that spends its time as given.
WorkloadTime time_of(std::vector<TimedPart> decode) {
  WorkloadTime time;
  time.batch_s = sum_of(decode);
  time.decode = std::move(decode);
  return time;
}

TEST(AdviseTime, IsWhatAStaticBatchTakes) {
  const TimeScenario s = scenario("llama-3.1-8b", "h100-sxm");
  const ServingTime served = serving_time(
      StepTimer(s, curves()), {.input_tokens = 3000, .output_tokens = 200, .arrival = Arrival::kStatic, .n_clients = 4},
      {.max_num_batched_tokens = 8192});
  const WorkloadTime time = workload_time(CurveTimer(s, curves()), {3000, 200, 4}, 8192);
  EXPECT_DOUBLE_EQ(time.ttft_s, served.ttft_s);
  EXPECT_DOUBLE_EQ(time.tpot_s, served.tpot_s);
  EXPECT_NEAR(200 * time.requests_per_s(), served.output_tokens_s, 1e-9 * served.output_tokens_s);
}

TEST(AdviseTime, PartsAddUpToTheBatch) {
  const WorkloadTime time =
      workload_time(CurveTimer(scenario("qwen3-30b-a3b", "h200-sxm"), curves()), {20000, 64, 2}, 8192);
  EXPECT_NEAR(sum_of(time.prefill), time.prefill_s(), 1e-9 * time.batch_s);
  EXPECT_NEAR(sum_of(time.decode), time.decode_s(), 1e-9 * time.batch_s);
}

TEST(AdviseTime, AKnownPromptCostsNextToNothing) {
  const CurveTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const WorkloadTime fresh = workload_time(timer, {8000, 1, 1, 0}, 8192);
  const WorkloadTime known = workload_time(timer, {8000, 1, 1, 7999}, 8192);
  // one token reads 16 GB of weights in 5 ms, 8,000 tokens multiply them for 2 · 8e9 · 8,000 / 0.7e15 FLOP/s = 180 ms
  EXPECT_LT(known.ttft_s, 0.2 * fresh.ttft_s);
}

TEST(AdviseTime, DraftedRowsShareTheWeights) {
  const CurveTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const StepLoad step{.decode_sequences = 1, .decode_kv = 2000};
  const double plain = timer.seconds(step);
  EXPECT_GT(verification_seconds(timer, step, 4), 0.99 * plain);
  EXPECT_LT(verification_seconds(timer, step, 4), 1.3 * plain);  // five rows read the same weights
}

TEST(AdviseTime, ErrorsOfACommonLawCancel) {
  const WorkloadTime before = time_of({{Resource::kWeights, "a", 2.0, 0.3}});
  const WorkloadTime after = time_of({{Resource::kWeights, "a", 1.0, 0.3}});
  const Gain gain = gain_between(before, after);
  EXPECT_DOUBLE_EQ(gain.value, 1.0);  // half the time: twice the requests
  EXPECT_DOUBLE_EQ(gain.low, 1.0);
  EXPECT_DOUBLE_EQ(gain.high, 1.0);
}

TEST(AdviseTime, ErrorsOfOtherLawsAddUp) {
  const WorkloadTime before = time_of({{Resource::kWeights, "a", 1.5, 0.3}, {Resource::kCache, "c", 0.5, 0.1}});
  const WorkloadTime after = time_of({{Resource::kWeights, "b", 0.5, 0.4}, {Resource::kCache, "c", 0.5, 0.1}});
  const Gain gain = gain_between(before, after);
  // shares: a 0.75 → 0, b 0 → 0.5, c 0.25 → 0.5: sqrt((0.75 · 0.3)² + (0.5 · 0.4)² + (0.25 · 0.1)²) = 0.30208
  const double error = std::sqrt(0.225 * 0.225 + 0.2 * 0.2 + 0.025 * 0.025);
  EXPECT_NEAR(gain.value, 1.0, 1e-12);  // 2 s → 1 s
  EXPECT_NEAR(gain.low, 2.0 * std::exp(-error) - 1.0, 1e-12);
  EXPECT_NEAR(gain.high, 2.0 * std::exp(error) - 1.0, 1e-12);
}

TEST(Bottleneck, IsTheLargestPartOfTheLongerPhase) {
  WorkloadTime time = time_of({{Resource::kWeights, "a", 3.0, 0.0}, {Resource::kCache, "c", 1.0, 0.0}});
  time.ttft_s = 2.0;
  time.batch_s += 2.0;
  time.prefill = {{Resource::kProducts, "p", 2.0, 0.0}};
  const auto bound = bottleneck_of(time);
  ASSERT_TRUE(bound.has_value());
  EXPECT_EQ(bound->phase, Phase::kDecode);
  EXPECT_EQ(bound->resource, Resource::kWeights);
  EXPECT_NEAR(bound->phase_share, 4.0 / 6.0, 1e-12);
  EXPECT_NEAR(bound->share, 0.75, 1e-12);
  EXPECT_NEAR(share_of(time, Resource::kProducts), 2.0 / 6.0, 1e-12);
  EXPECT_FALSE(bottleneck_of(WorkloadTime{}).has_value());
}

TEST(PlanCommandText, CanBeCopied) {
  Configuration c;
  c.model = "my model";
  c.device = "h100";
  c.engine = "vllm";
  c.prompt_tokens = 100;
  c.answer_tokens = 28;
  c.layout.tensor_parallel = 2;
  EXPECT_EQ(plan_command(c), "dachlast plan --model 'my model' --gpu h100 --context 128 --batch 1 --tp 2");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
}

}  // namespace
}  // namespace dachlast
