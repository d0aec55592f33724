#include "core/workbench/scenario.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/model/weight_inventory.h"
#include "core/model/weights.h"
#include "core/workbench/scenario_view.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::Contains;
using testing::Field;
using testing::HasSubstr;

ScenarioRequest request(std::string model, std::string device) {
  return {.model = std::move(model),
          .device = std::move(device),
          .weights = "",
          .cache = "",
          .engine = "vllm",
          .layout = {},
          .limits = {}};
}

template <class Function>
Error error_of(Function&& function) {
  try {
    function();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorKind::kFailure, "", "", ""};
}

std::vector<std::string> codes(const std::vector<Remark>& remarks) {
  std::vector<std::string> codes;
  for (const Remark& remark : remarks) codes.push_back(remark.code);
  return codes;
}

TEST(Scenario, WhatIsNotSaidIsAssumedAloud) {
  const Scenario scenario = find_scenario(request("llama-3.1-8b", "h100"));
  EXPECT_THAT(codes(scenario.assumptions),
              testing::IsSupersetOf({"weights", "kv_cache", "engine", "memory_fraction", "step_limits", "capacity"}));
  ScenarioRequest full = request("llama-3.1-8b", "h100");
  full.weights = "fp8";
  full.cache = "fp8";
  full.limits.memory_fraction = 0.8;
  EXPECT_THAT(codes(find_scenario(full).assumptions), testing::Not(Contains("weights")));
  EXPECT_THAT(codes(find_scenario(full).assumptions), testing::Not(Contains("memory_fraction")));
}

TEST(Scenario, APublishedQuantizationIsTaken) {
  const Scenario scenario = find_scenario(request("llama-3.1-70b-fp8", ""));
  EXPECT_TRUE(scenario.planner->scenario().weights.is_quantized());
  // 70.55 B parameters at 16 bits are 131 GiB.
  EXPECT_LT(scenario.planner->at(1, 1).weights, 70 * kGiB);
}

TEST(Scenario, ThisProgramsQuantizedWeightsAreCountedAsItsEngineKeepsThem) {
  ScenarioRequest planned = request("llama-3.2-1b", "h100");
  planned.engine = "dachlast";
  for (const auto& [name, type] :
       {std::pair{"int8", kInt8Rows}, {"int4", kInt4Groups32}, {"int4:128", kInt4Groups128}}) {
    planned.weights = name;
    const Scenario scenario = find_scenario(planned);
    EXPECT_DOUBLE_EQ(scenario.planner->at(1, 1).weights, weight_bytes(scenario.planner->scenario().model, type))
        << name;
  }
}

TEST(Scenario, WeightsBesideAConfigAreCountedInTheirHeaders) {
  // Published in FP32: this engine serves it so, others in 16 bits.
  ScenarioRequest stored = request("stories-260k", "");
  EXPECT_FALSE(find_scenario(stored).planner->scenario().counted_weights);
  stored.engine = "dachlast";
  EXPECT_TRUE(find_scenario(stored).planner->scenario().counted_weights);
  // What a file holds says nothing of another format.
  ScenarioRequest int8 = request("stories-260k", "");
  int8.weights = "int8";
  EXPECT_FALSE(find_scenario(int8).planner->scenario().counted_weights);
}

TEST(Scenario, AGgufFileIsPlannedWithItsOwnTensors) {
  const std::string path = DACHLAST_TEST_DATA_DIR "/gguf/stories260K-pad192.Q4_0.gguf";
  double all = 0.0;
  double tables = 0.0;
  for (const WeightEntry& entry : weight_inventory(path).entries) {
    all += static_cast<double>(entry.bytes);
    if (entry.place == WeightPlace::kEmbedding) tables += static_cast<double>(entry.bytes);
  }
  EXPECT_EQ(find_scenario(request(path, "")).planner->at(64, 1).weights, all);
  ScenarioRequest llamacpp = request(path, "");
  llamacpp.engine = "llama.cpp";
  // The token table lies in host memory.
  EXPECT_EQ(find_scenario(llamacpp).planner->at(64, 1).weights, all - tables);
  // Another type's file is not this one.
  llamacpp.weights = "Q8_0";
  EXPECT_GT(find_scenario(llamacpp).planner->at(64, 1).weights, all - tables);
}

TEST(Scenario, LlamaCppCachesLatentsOnce) {
  ScenarioRequest latent = request("deepseek-v3", "");
  latent.engine = "llama.cpp";
  latent.weights = "Q8_0";
  // 61 layers · (512 + 64) · 2 B · 4,096 tokens.
  EXPECT_EQ(find_scenario(latent).planner->at(4096, 1).kv_cache, 61.0 * 576 * 2 * 4096);
}

TEST(Scenario, NamesNobodyKnowsAreRefusedWithTheNearest) {
  EXPECT_EQ(error_of([] { find_scenario(request("llama-3.1-9b", "h100")); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(error_of([] { find_scenario(request("llama-3.1-8b", "h1000")); }).kind(), ErrorKind::kUsage);
  ScenarioRequest wrong = request("llama-3.1-8b", "h100");
  wrong.cache = "bf17";
  EXPECT_THAT(std::string(error_of([&] { find_scenario(wrong); }).way_out()), HasSubstr("Did you mean bf16?"));
  wrong.cache = "";
  wrong.weights = "awg";
  EXPECT_THAT(std::string(error_of([&] { find_scenario(wrong); }).way_out()), HasSubstr("awq"));
  wrong.weights = "";
  wrong.engine = "vlm";
  EXPECT_THAT(std::string(error_of([&] { find_scenario(wrong); }).way_out()), HasSubstr("vllm"));
}

TEST(Scenario, AFileThatIsNoModelIsBadInput) {
  const TempFolder folder;
  EXPECT_EQ(error_of([&] { find_scenario(request(folder.write("x.gguf", "GGUF").string(), "")); }).kind(),
            ErrorKind::kInput);
  EXPECT_EQ(error_of([&] { find_scenario(request(folder.write("config.json", "{").string(), "")); }).kind(),
            ErrorKind::kInput);
}

TEST(Scenario, SizesOutOfRangeAreRefused) {
  const Scenario scenario = find_scenario(request("llama-3.1-8b", "h100"));
  EXPECT_EQ(error_of([&] { plan_scenario(scenario, 0, 1); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(error_of([&] { plan_scenario(scenario, 1, -1); }).kind(), ErrorKind::kUsage);
  const Error error = error_of([&] { plan_scenario(scenario, 131073, 1); });
  EXPECT_EQ(error.kind(), ErrorKind::kDoesNotFit);
  EXPECT_THAT(std::string(error.reason()), HasSubstr("131,072"));
}

TEST(ScenarioPlan, LimitsAreTheEdgeOfWhatFits) {
  const Scenario scenario = find_scenario(request("llama-3.1-8b", "h100"));
  const ScenarioPlan plan = plan_scenario(scenario, 32768, 8);
  EXPECT_TRUE(plan.fits);
  ASSERT_TRUE(plan.max_context && plan.max_batch);
  EXPECT_EQ(*plan.max_context % 16, 0);
  EXPECT_TRUE(scenario.planner->fits(*plan.max_context, 8));
  EXPECT_FALSE(scenario.planner->fits(*plan.max_context + 1, 8));
  EXPECT_TRUE(scenario.planner->fits(32768, *plan.max_batch));
  EXPECT_FALSE(scenario.planner->fits(32768, *plan.max_batch + 1));
  EXPECT_TRUE(plan.ways.empty());
}

TEST(ScenarioPlan, WithoutADeviceNothingIsJudged) {
  const ScenarioPlan plan = plan_scenario(find_scenario(request("llama-3.1-8b", "")), 8192, 1);
  EXPECT_FALSE(plan.max_context);
  EXPECT_FALSE(plan.max_batch);
  EXPECT_THAT(scenario_view(plan).answer, HasSubstr("Name a device"));
}

// 14.96 GiB of weights do not fit in 92 % of the T4's 15 GiB beside a step; in eight bits they do.
TEST(ScenarioPlan, EveryWayOutThatIsNamedIsOne) {
  const ScenarioPlan plan = plan_scenario(find_scenario(request("llama-3.1-8b", "t4")), 8192, 1);
  EXPECT_FALSE(plan.fits);
  EXPECT_FALSE(plan.max_batch);
  EXPECT_THAT(plan.ways, Contains(Field(&WayToFit::text, "FP8 weights and KV cache")));
  ScenarioRequest fp8 = request("llama-3.1-8b", "t4");
  fp8.weights = "fp8";
  fp8.cache = "fp8";
  EXPECT_TRUE(plan_scenario(find_scenario(fp8), 8192, 1).fits);
  EXPECT_THAT(scenario_view(plan).answer, HasSubstr("DOES NOT FIT: needs "));
}

TEST(ScenarioPlan, FewerSequencesAreTheFirstWayOut) {
  const ScenarioPlan plan = plan_scenario(find_scenario(request("llama-3.1-8b", "h100")), 32768, 64);
  EXPECT_FALSE(plan.fits);
  ASSERT_FALSE(plan.ways.empty());
  EXPECT_EQ(plan.ways[0].text, "batch " + std::to_string(*plan.max_batch));
  EXPECT_LE(plan.ways.size(), 3u);
}

TEST(ScenarioPlan, MoreSequencesThanTheEngineRunsAreSaid) {
  const Scenario scenario = find_scenario(request("smollm2-135m", "t4"));  // 256 below 70 GiB
  EXPECT_THAT(codes(plan_scenario(scenario, 16, 256).scenario.warnings),
              testing::Not(Contains("batch_over_max_num_seqs")));
  EXPECT_THAT(codes(plan_scenario(scenario, 16, 257).scenario.warnings), Contains("batch_over_max_num_seqs"));
}

TEST(ScenarioSweep, EveryCellIsTheSingleAnswer) {
  const Scenario scenario = find_scenario(request("gemma-3-4b", "h100"));
  const ScenarioSweep sweep = sweep_scenario(scenario, {1024, 8192, 131072}, {1, 7});
  ASSERT_EQ(sweep.cells.size(), 6u);
  for (std::size_t b = 0; b < 2; ++b)
    for (std::size_t c = 0; c < 3; ++c) {
      const DeviceMemory single = plan_scenario(scenario, sweep.contexts[c], sweep.batches[b]).memory;
      EXPECT_EQ(sweep.at(b, c).total(), single.total());
      EXPECT_EQ(sweep.at(b, c).kv_cache, single.kv_cache);
    }
}

TEST(ScenarioSweep, GridsAreBounded) {
  const Scenario scenario = find_scenario(request("llama-3.1-8b", "h100"));
  std::vector<int> many(4096);
  std::iota(many.begin(), many.end(), 1);
  EXPECT_EQ(error_of([&] { sweep_scenario(scenario, many, many); }).kind(), ErrorKind::kUsage);
  EXPECT_EQ(error_of([&] { sweep_scenario(scenario, {1 << 20}, {1}); }).kind(), ErrorKind::kDoesNotFit);
  EXPECT_EQ(error_of([&] { sweep_scenario(scenario, {1}, {0}); }).kind(), ErrorKind::kUsage);
}

TEST(ScenarioSweep, SaysHowManyFit) {
  const Scenario scenario = find_scenario(request("llama-3.1-8b", "h100"));
  // 16.96 GiB of 73 at batch 1, at batch 64 128 GiB of cache alone.
  const ScenarioSweep sweep = sweep_scenario(scenario, {16384}, {1, 64});
  EXPECT_THAT(sweep_answer(sweep), HasSubstr("1 of 2 combinations fits in"));
  EXPECT_EQ(sweep_table(sweep).rows.size(), 2u);
  EXPECT_FALSE(sweep_figure(sweep).primitives.empty());
}

// As `run` takes it (resolve_format in plan_run.cpp): the arithmetic of float weights, BF16 with all others.
TEST(Scenario, ThisEnginesCacheIsOfTheTypeItsRunsTake) {
  for (const auto& [weights, cache] : {std::pair{"f32", "FP32"}, {"bf16", "BF16"}, {"int8", "BF16"}}) {
    ScenarioRequest own = request("gpt2", "");
    own.engine = "dachlast";
    own.weights = weights;
    EXPECT_EQ(find_scenario(own).planner->scenario().cache.title, cache) << weights;
  }
}

// What a plan for this program's own engine says against what the engine says before it allocates. The engine rounds each buffer
// up for its alignment, by less than 4 KiB, and knows its threads: scratch of attention and tables of RoPE are its own.
TEST(Scenario, APlanForThisEngineIsWhatItAllocates) {
  for (const char* model : {"llama-3.2-1b", "gpt2", "gemma-2-2b", "qwen3-0.6b", "phi-2"}) {
    ScenarioRequest own = request(model, "");
    own.engine = "dachlast";
    own.limits.max_num_batched_tokens = 512;
    const Scenario scenario = find_scenario(own);
    const DeviceMemory planned = scenario.planner->at(1024, 1);
    EngineOptions options;
    options.capacity_tokens = 1024;
    options.max_step_tokens = 512;
    const EngineMemory engine = engine_memory(scenario.model(), options);
    EXPECT_GE(engine.activation_bytes, planned.activations) << model;
    EXPECT_LE(engine.activation_bytes, planned.activations + kBufferCount * 4096) << model;
    EXPECT_GE(engine.workspace_bytes, planned.workspace) << model;
  }
}

}  // namespace
}  // namespace dachlast
