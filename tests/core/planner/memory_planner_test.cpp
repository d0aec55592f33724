#include "core/planner/memory_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/base/error.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

using testing::HasSubstr;

// `round_scenario`: weights 2 · (4 · 49,280 + 2 · 6,400 + 64) = 419,968 B.
// Activations: 4 tokens · 2 B · (3 · 128 + 4 · 64) = 5,120. Sampler: 4 rows · 100 · 38 + 2 · 64 · (4 + 2 · 4) = 16,736, so the
// workspace is 11,616 beyond the activations. Runtime 1,000.
constexpr double kWeights = 419968;
constexpr double kBeside = 5120 + 11616 + 1000;
constexpr double kKvPerToken = 4 * 2 * 4 * 16 * 2;  // 1,024 B

MemoryPlanner planner(BudgetRule rule) {
  return MemoryPlanner(round_scenario(rule));
}

Error error_of(PlanScenario scenario) {
  try {
    MemoryPlanner(std::move(scenario));
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorKind::kFailure, "", "", ""};
}

TEST(MemoryPlanner, EachSegmentIsItsFormula) {
  const DeviceMemory memory = planner(BudgetRule::kFractionOfTotal).at(30, 2);
  EXPECT_DOUBLE_EQ(memory.weights, kWeights);
  EXPECT_DOUBLE_EQ(memory.kv_cache, 2 * 30 * kKvPerToken);
  EXPECT_DOUBLE_EQ(memory.activations, 5120);
  EXPECT_DOUBLE_EQ(memory.workspace, 11616);
  EXPECT_DOUBLE_EQ(memory.runtime, 1000);
  EXPECT_DOUBLE_EQ(memory.total(), kWeights + kBeside + 61440);
}

TEST(MemoryPlanner, AFractionOfTheDeviceHoldsEverything) {
  const MemoryPlanner p = planner(BudgetRule::kFractionOfTotal);
  EXPECT_DOUBLE_EQ(p.budget_bytes(), 500000);
  EXPECT_DOUBLE_EQ(p.kv_room(), 500000 - kWeights - kBeside);  // 62,296
  EXPECT_EQ(p.max_context(1), 60);                             // 60.8 tokens
  EXPECT_DOUBLE_EQ(p.kv_tokens(4096), 60);
}

TEST(MemoryPlanner, AStaticFractionHoldsWeightsAndCacheAlone) {
  const MemoryPlanner p = planner(BudgetRule::kStaticFraction);
  // Of what libraries leave at the start: 0.5 · (1,000,000 − 1,000).
  EXPECT_DOUBLE_EQ(p.budget_bytes(), 499500 + kBeside);
  EXPECT_EQ(p.max_context(1), 77);  // (499,500 − 419,968) / 1,024 = 77.7
}

TEST(MemoryPlanner, AStaticFractionLeavesNoMoreThanTheDevice) {
  PlanScenario scenario = round_scenario(BudgetRule::kStaticFraction);
  scenario.limits.memory_fraction = 1.0;
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario).budget_bytes(), 1e6);
}

TEST(MemoryPlanner, AFractionOfWhatIsFreeIsTheCaches) {
  const MemoryPlanner p = planner(BudgetRule::kFractionOfFree);
  EXPECT_DOUBLE_EQ(p.kv_room(), 0.5 * (1e6 - kWeights - kBeside));  // 281,148
  EXPECT_EQ(p.max_context(1), 274);                                 // 274.6
}

TEST(MemoryPlanner, WithoutABudgetTheWholeDeviceIsThere) {
  PlanScenario scenario = round_scenario(BudgetRule::kWholeDevice);
  scenario.limits.memory_fraction.reset();
  const MemoryPlanner p(scenario);
  EXPECT_DOUBLE_EQ(p.budget_bytes(), 1e6);
  EXPECT_EQ(p.max_context(1), 549);  // 562,296 / 1,024 = 549.1
  EXPECT_EQ(p.max_batch(16), 34);    // 562,296 / 16,384 = 34.3
  EXPECT_TRUE(p.fits(549, 1));
  EXPECT_FALSE(p.fits(550, 1));
  EXPECT_TRUE(p.fits(16, 34));
  EXPECT_FALSE(p.fits(16, 35));
}

TEST(MemoryPlanner, LimitsAreWholeBlocks) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.limits.block_tokens = 16;
  const MemoryPlanner p(scenario);
  EXPECT_EQ(p.max_context(1), 48);            // 60 tokens are three blocks of 16
  EXPECT_EQ(p.max_context(2), 16);            // 30 each: one block
  EXPECT_EQ(p.max_context(4), std::nullopt);  // 15 each: none
  EXPECT_EQ(p.max_batch(17), 1);              // two blocks of 16,384 B each in 62,296
  EXPECT_EQ(p.max_batch(49), std::nullopt);
}

TEST(MemoryPlanner, TheModelsOwnLimitEndsTheContext) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.capacity = Bytes{1e12};
  scenario.limits.block_tokens = 1000;
  const MemoryPlanner p(scenario);
  EXPECT_EQ(p.max_context(1), 4096);  // no whole number of blocks
  // 5e11 B over 5 blocks of 1,024,000 B: 97,656 sequences.
  EXPECT_EQ(p.max_batch(4096), 97656);
}

TEST(MemoryPlanner, NothingFitsWhereTheWeightsDoNot) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.capacity = Bytes{400000};
  const MemoryPlanner p(scenario);
  EXPECT_FALSE(p.fits(1, 1));
  EXPECT_EQ(p.max_context(1), std::nullopt);
  EXPECT_EQ(p.max_batch(1), std::nullopt);
  EXPECT_LT(p.kv_room(), 0);
  EXPECT_DOUBLE_EQ(p.kv_tokens(4096), 0);
}

TEST(MemoryPlanner, OneAnswerIsTheSameAtEveryPointOfASearch) {
  const MemoryPlanner p(round_scenario(BudgetRule::kFractionOfTotal, window_model()));
  for (const int batch : {1, 3, 16}) {
    double last = 0;
    for (int context = 1; context <= 131072; context = context * 3 + 1) {
      EXPECT_GE(p.at(context, batch).total(), last);
      last = p.at(context, batch).total();
      EXPECT_EQ(p.fits(context, batch), last <= p.budget_bytes());
    }
  }
}

// Five layers on two stages: 3 and the embedding, 2 and the head.
TEST(MemoryPlanner, TheFullestStageIsShown) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal, round_model(5));
  scenario.layout.pipeline_parallel = 2;
  const DeviceMemory memory = MemoryPlanner(scenario).at(1, 1);
  EXPECT_DOUBLE_EQ(memory.weights, 2 * (3 * 49280 + 6400));
  EXPECT_DOUBLE_EQ(memory.workspace, 0);  // the last stage samples
  EXPECT_DOUBLE_EQ(memory.kv_cache, 3 * 256);
}

// At 1,000 B a logit the sampler takes 4 · 100 · 1,000 + 1,536 B, 396,416 beyond the activations, and the last stage is
// the fullest by 396,416 − 2 · (49,280 − 64) = 297,984 B, until 256 B a token of the third layer make up for it: 1,164 tokens exactly.
TEST(MemoryPlanner, WhichStageIsFullestDependsOnTheContext) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal, round_model(5));
  scenario.layout.pipeline_parallel = 2;
  scenario.engine.sampler->value.logit_bytes = 1000;
  const MemoryPlanner p(scenario);
  EXPECT_DOUBLE_EQ(p.at(1163, 1).workspace, 396416);
  EXPECT_DOUBLE_EQ(p.at(1165, 1).workspace, 0);
  EXPECT_DOUBLE_EQ(p.kv_bytes_per_token(), 3 * 256);
}

TEST(MemoryPlanner, SequencesAreSharedOutOverAttentionGroups) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal, round_moe());
  scenario.layout.attention_data_parallel = 2;
  const MemoryPlanner p(scenario);
  EXPECT_DOUBLE_EQ(p.at(10, 4).kv_cache, 2 * 10 * kKvPerToken);
  EXPECT_DOUBLE_EQ(p.at(10, 5).kv_cache, 3 * 10 * kKvPerToken);
  EXPECT_DOUBLE_EQ(p.at(1, std::numeric_limits<int>::max()).kv_cache, 1073741824 * kKvPerToken);
}

TEST(MemoryPlanner, WeightsCountedInAFileAreSharedOutAsTheModelSays) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.counted_weights = Bytes{3 * kWeights};
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario).at(1, 1).weights, 3 * kWeights);
  scenario.layout.tensor_parallel = 2;
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario).at(1, 1).weights, 3 * 2 * (4 * (49152 / 2 + 128) + 2 * 64 * 64 + 64.0));
}

TEST(MemoryPlanner, LimitsComeFromTheProfileWhereNoneAreGiven) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.engine = find_engine("vllm");
  scenario.limits = {};
  const MemoryPlanner p(scenario);
  EXPECT_DOUBLE_EQ(p.memory_fraction(), 0.92);
  EXPECT_EQ(p.step_limits().max_num_seqs, 256);  // below 70 GiB
  EXPECT_EQ(p.step_limits().max_num_batched_tokens, 2048);
  scenario.limits.max_num_batched_tokens = 100;
  EXPECT_EQ(MemoryPlanner(scenario).step_limits().max_num_seqs, 100);  // no more than tokens in a step
}

TEST(MemoryPlanner, GraphsInsideTheBudgetAreRuntime) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.engine.graphs = Fact<Bytes>{Bytes{500}, "", ""};
  scenario.engine.graph_budget = Fact<BudgetPart>{BudgetPart::kInside, "", ""};
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario).at(1, 1).runtime, 1500);
  scenario.engine.graph_budget->value = BudgetPart::kOutside;
  EXPECT_DOUBLE_EQ(MemoryPlanner(scenario).at(1, 1).runtime, 1000);
}

TEST(MemoryPlanner, LimitsThatMakeNoSenseAreRefused) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  for (const double fraction : {0.0, -0.1, 1.01, std::numeric_limits<double>::quiet_NaN()}) {
    scenario.limits.memory_fraction = fraction;
    EXPECT_EQ(error_of(scenario).kind(), ErrorKind::kUsage) << fraction;
  }
  scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.limits.max_num_seqs = 0;
  EXPECT_THAT(std::string(error_of(scenario).subject()), HasSubstr("--max-num-seqs"));
  scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.limits.block_tokens = -16;
  EXPECT_THAT(std::string(error_of(scenario).subject()), HasSubstr("--block-size"));
  scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.limits.max_num_batched_tokens = 0;
  EXPECT_THAT(std::string(error_of(scenario).subject()), HasSubstr("--max-batched-tokens"));
}

TEST(MemoryPlanner, ADeviceWithoutCapacityIsRefused) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.device.memory.front().capacity.reset();
  EXPECT_EQ(error_of(scenario).kind(), ErrorKind::kInput);
  scenario.capacity = Bytes{1e6};
  EXPECT_NO_THROW(MemoryPlanner{scenario});
}

// SGLang keeps 512 + 1.5 · 2,048 + 128 + 2 · 8 = 3,728 MiB free: more than 2 GiB.
TEST(MemoryPlanner, AnEngineThatReservesMoreThanTheDeviceDoesNotFit) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal);
  scenario.engine = find_engine("sglang");
  scenario.device = round_device(2 * kGiB);
  scenario.limits = {};
  const Error error = error_of(scenario);
  EXPECT_EQ(error.kind(), ErrorKind::kDoesNotFit);
  EXPECT_EQ(error.subject(), "Round");
}

TEST(PlanSegments, AddUpAndSayWhatTheyMultiply) {
  const MemoryPlanner p = planner(BudgetRule::kFractionOfTotal);
  double sum = 0;
  const std::vector<MemorySegment> lines = p.segments(30, 2);
  for (const MemorySegment& line : lines) sum += line.bytes.value;
  EXPECT_DOUBLE_EQ(sum, p.at(30, 2).total());
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0].formula, "209,984 parameters, BF16");
  EXPECT_EQ(lines[1].name, "KV cache");
  EXPECT_EQ(lines[1].formula, "2 × (4 layers × 256 B × 30 tokens), BF16");
  EXPECT_EQ(lines[2].formula,
            "4 tokens × 2 B × (mlp_up 256 + mlp_hidden 128 + residual 64 + 2 × normed 64 + branch 64) at mlp_down of "
            "layer 1");
}

TEST(PlanSegments, WindowsAndPaddingAreNamed) {
  PlanScenario scenario = round_scenario(BudgetRule::kFractionOfTotal, window_model());
  scenario.engine = find_engine("vllm");
  scenario.limits = {.memory_fraction = {}, .max_num_seqs = {}, .max_num_batched_tokens = 512, .block_tokens = {}};
  EXPECT_EQ(MemoryPlanner(scenario).segments(8192, 1)[1].formula,
            "1 × (60 layers (8 of padding) × 8 KiB × 1,552 tokens for a window of 1,024 + 10 layers × 8 KiB × 8,192 "
            "tokens), BF16");
}

TEST(PlanSegments, StatesAreNamed) {
  PlanScenario scenario = round_scenario(BudgetRule::kWholeDevice, hybrid_model());
  // 48 · (61,440 + 3,145,728) B = 146.81 MiB
  EXPECT_THAT(MemoryPlanner(scenario).segments(100, 1)[1].formula,
              "1 × (16 layers × 4 KiB × 100 tokens + 146.81 MiB of states), BF16");
}

}  // namespace
}  // namespace dachlast
