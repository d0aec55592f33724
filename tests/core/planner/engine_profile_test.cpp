#include "core/planner/engine_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/planner/step_memory.h"
#include "tests/core/model/temp_folder.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Value>
void expect_sourced(const std::optional<Fact<Value>>& fact, const std::string& where) {
  if (!fact) return;
  EXPECT_FALSE(fact->source.empty()) << where;
  EXPECT_GT(fact->note.size(), 10u) << where;
}

TEST(EngineProfiles, TheFiveEnginesLoadWithASourceForEveryFact) {
  EXPECT_THAT(list_engines(), ElementsAre("dachlast", "llama.cpp", "sglang", "tensorrt-llm", "vllm"));
  for (const std::string& id : list_engines()) {
    const EngineProfile engine = find_engine(id);
    EXPECT_EQ(engine.id, id);
    expect_sourced(std::optional(engine.budget), id);
    expect_sourced(std::optional(engine.window_policy), id);
    expect_sourced(engine.memory_fraction, id);
    expect_sourced(engine.batch_defaults, id);
    expect_sourced(engine.buffers, id);
    expect_sourced(engine.sampler, id);
    expect_sourced(engine.non_torch, id);
  }
}

TEST(EngineProfiles, EarlierVersionsHaveTheirOwnFacts) {
  EXPECT_DOUBLE_EQ(find_engine("vllm").memory_fraction->value, 0.92);
  EXPECT_DOUBLE_EQ(find_engine("vllm@0.21").memory_fraction->value, 0.92);
  EXPECT_DOUBLE_EQ(find_engine("vLLM@0.20.2").memory_fraction->value, 0.9);
  EXPECT_EQ(find_engine("vllm@0.20").graph_budget->value, BudgetPart::kOutside);
  EXPECT_DOUBLE_EQ(find_engine("vllm@0.17").sampler->value.logit_bytes, 14.0);
  EXPECT_DOUBLE_EQ(find_engine("vllm@0.10.1").sampler->value.logit_bytes, 38.0);
  EXPECT_DOUBLE_EQ(find_engine("vllm@0.9.0rc1").memory_fraction->value, 0.9);
  EXPECT_EQ(find_engine("vllm@0.10.1").window_policy.value, WindowPolicy::kCapped);
  EXPECT_EQ(find_engine("vllm@0.6.4.post1").window_policy.value, WindowPolicy::kFullLength);
  EXPECT_DOUBLE_EQ(find_engine("vllm@0.6").memory_fraction->value, 0.9);  // from the row before 0.21
}

TEST(EngineProfiles, UnknownEnginesAndVersionsAreRefused) {
  try {
    find_engine("vlm");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.way_out(), HasSubstr("\"vllm\""));
  }
  EXPECT_THROW(find_engine(""), Error);
  EXPECT_THROW(find_engine("vllm@newest"), Error);
  EXPECT_THROW(find_engine("../devices/t4"), Error);
}

TEST(EngineProfiles, VllmTakesSmallBatchesOnSmallDevicesAndOnTheA100) {
  const EngineProfile vllm = find_engine("vllm");
  const auto h100 = batch_defaults_for(vllm, find_device("h100"), 1);
  EXPECT_EQ(h100->max_num_seqs, 1024);
  EXPECT_EQ(h100->max_num_batched_tokens, 8192);
  EXPECT_EQ(batch_defaults_for(vllm, find_device("a100-sxm-80gb"), 1)->max_num_seqs, 256);
  EXPECT_EQ(batch_defaults_for(vllm, find_device("rtx3090"), 1)->max_num_batched_tokens, 2048);
}

TEST(EngineProfiles, WorkspaceAndNonTorchFollowDeviceAndRanks) {
  const EngineProfile vllm = find_engine("vllm");
  EXPECT_DOUBLE_EQ(gemm_workspace(vllm, find_device("h100"))->value, 32 * kMiB);
  EXPECT_DOUBLE_EQ(gemm_workspace(vllm, find_device("l4"))->value, 8.125 * kMiB);  // (2 · 4096 + 8 · 16) KiB
  EXPECT_DOUBLE_EQ(non_torch_memory(vllm, "Ampere GA100", 1)->value, 0.13 * kGiB);
  EXPECT_DOUBLE_EQ(non_torch_memory(vllm, "Ampere GA100", 8)->value, 0.55 * kGiB);
  // Fused all-reduce on Hopper: 2.07 GiB at TP 2, 2.15 from TP 4 on.
  EXPECT_DOUBLE_EQ(non_torch_memory(vllm, "Hopper GH100", 1)->value, 0.25 * kGiB);
  EXPECT_DOUBLE_EQ(non_torch_memory(vllm, "Hopper GH100", 2)->value, 2.07 * kGiB);
  EXPECT_DOUBLE_EQ(non_torch_memory(vllm, "Hopper GH100", 8)->value, 2.15 * kGiB);
  EXPECT_DOUBLE_EQ(non_torch_memory(find_engine("vllm@0.17"), "Hopper GH100", 1)->value, 0.13 * kGiB);
  EXPECT_DOUBLE_EQ(non_torch_memory(find_engine("vllm@0.11"), "Hopper GH100", 2)->value, 0.55 * kGiB);
  EXPECT_FALSE(non_torch_memory(find_engine("llama.cpp"), "", 1));
}

// Published trial runs on an H100, 1,024 sequences and 8,192 tokens: llm-d-planner, docs/empirical-vllm-memory-results.md.
// vocab · 1024 · 38 B + 8192 · d_model · 2 B + 2 · 1024 · d_model · 2 B + 32 MiB:
//   gpt-oss-20b    201,088 · 1024 · 38 + 8192 · 2880 · 2 + 2048 · 2880 · 2 + 2^25 =  7.917e9 B = 7.37 GiB (7.38)
//   Llama 3.3 70B  128,256 · 1024 · 38 + 8192 · 8192 · 2 + 2048 · 8192 · 2 + 2^25 =  5.192e9 B = 4.84 GiB (4.84)
//   Qwen3-32B      151,936 · 1024 · 38 + 8192 · 5120 · 2 + 2048 · 5120 · 2 + 2^25 =  6.051e9 B = 5.64 GiB (5.64)
TEST(EngineProfiles, TheSortLawOfVllmGivesThePublishedActivations) {
  const EngineProfile vllm = find_engine("vllm@0.11");
  const double workspace = gemm_workspace(vllm, find_device("h100"))->value;
  const double rows = *batch_defaults_for(vllm, find_device("h100"), 1)->max_num_seqs;
  const double tokens = *batch_defaults_for(vllm, find_device("h100"), 1)->max_num_batched_tokens;
  const auto gib = [&](double vocab, double d_model) {
    return (vocab * rows * vllm.sampler->value.logit_bytes + tokens * d_model * 2 + 2 * rows * d_model * 2 +
            workspace) /
           kGiB;
  };
  EXPECT_NEAR(gib(201088, 2880), 7.38, 0.01);
  EXPECT_NEAR(gib(128256, 8192), 4.84, 0.01);
  EXPECT_NEAR(gib(151936, 5120), 5.64, 0.01);
}

ModelSpec model_of_layers(std::string architecture, int d_model, const AttentionSpec& attention, int d_ff) {
  ModelSpec model;
  model.architecture = std::move(architecture);
  model.d_model = d_model;
  model.vocab_size = 1;
  model.max_context = 1 << 17;
  LayerSpec layer;
  layer.mixer = attention;
  layer.feed_forward = MlpSpec{.d_ff = d_ff};
  model.layers.assign(2, layer);
  return model;
}

// With 8.125 MiB of GEMM scratch (Ampere, Ada):
//   20,000 · (3 · 14,336 + 3 · 4,096) · 2 B = 2.060 GiB, 2.07 published; 29,000 tokens 2.99; gate|up is given up before the
//   down projection.
//   10,000 · (3 · 27,648 / 2 + 5 · 5,120) · 2 B = 1.249 GiB, 1.26 published; gate|up is held, and at the down projection there are the
//   residual, the layer's input, the MLP's input, this rank's share of its output and the sum of all shares.
TEST(EngineProfiles, TheWalkGivesThePublishedActivationsOfVersionZero) {
  const EngineProfile vllm = find_engine("vllm@0.7");
  const auto gib = [&](const ModelSpec& model, double tokens, int tp) {
    return (forward_peak(model, vllm.buffers->value, {.tensor_parallel = tp}, tokens).bytes + 8.125 * kMiB) / kGiB;
  };
  const ModelSpec llama = model_of_layers("llama", 4096, {.n_heads = 32, .n_kv_heads = 8, .head_dim = 128}, 14336);
  const ModelSpec qwen = model_of_layers("qwen2", 5120, {.n_heads = 40, .n_kv_heads = 8, .head_dim = 128}, 27648);
  EXPECT_NEAR(gib(llama, 20000, 1), 2.07, 0.01);  // vllm issue 10517, Llama 3.1 8B
  EXPECT_NEAR(gib(llama, 29000, 1), 2.99, 0.01);  // the same, longer
  EXPECT_NEAR(gib(qwen, 10000, 2), 1.26, 0.01);   // issue 15815, Qwen2.5-32B, TP 2
}

// Published trial runs of 0.19 on an H100 (132 SMs), 1,024 sequences and 8,192 tokens: llm-d-planner, accuracy/accuracy_report.md.
//   vocab · (1,024 · 14 + 132 · 4) B + 2 · 2,048 · (8,192 + 2,048) B + 32 MiB of sampling and
//   8,192 · 2 B · n_active · (max(2 · d_ff, 2,048) + max(d_ff, 2,048)) of rooms that experts keep:
//   Qwen3-30B-A3B      151,936; 8 · (2,048 + 2,048)   2.174 + 0.500 = 2.67 GiB (2.68)
//   DeepSeek-V2-Lite   102,400; 6 · (2,816 + 2,048)   1.488 + 0.445 = 1.93 GiB (1.93)
//   Qwen1.5-MoE-A2.7B  151,936; 4 · (2,816 + 2,048)   2.174 + 0.297 = 2.47 GiB (2.47)
TEST(EngineProfiles, RoomsThatExpertsKeepLieBesideSampling) {
  const EngineProfile vllm = find_engine("vllm@0.19");
  const DeviceSpec h100 = find_device("h100");
  const StepLimits limits{.max_num_seqs = 1024, .max_num_batched_tokens = 8192};
  const auto gib = [&](int vocab_size, const MoeSpec& experts) {
    ModelSpec model = model_of_layers("moe", 2048, {.n_heads = 16, .n_kv_heads = 4, .head_dim = 128}, 1);
    model.vocab_size = vocab_size;
    for (LayerSpec& layer : model.layers) layer.feed_forward = experts;
    const LivePeak forward = forward_peak(model, vllm.buffers->value, {}, 8192);
    return (forward.bytes + workspace_bytes(model, vllm, h100, limits, forward)) / kGiB;
  };
  EXPECT_NEAR(gib(151936, {.n_experts = 128, .n_active = 8, .d_ff = 768}), 2.68, 0.01);
  EXPECT_NEAR(gib(102400, {.n_experts = 64, .n_active = 6, .d_ff = 1408}), 1.93, 0.01);
  EXPECT_NEAR(gib(151936, {.n_experts = 60, .n_active = 4, .d_ff = 1408}), 2.47, 0.01);
}

TEST(EngineProfiles, SglangDerivesItsFractionFromReserves) {
  const EngineProfile sglang = find_engine("sglang");
  // H100: 512 + 1.5 · 8,192 + 128 + 2 · 256 = 13,440 MiB of 79.65 · 1024: 1 − 0.16478 = 0.835
  EXPECT_DOUBLE_EQ(
      *default_memory_fraction(sglang, {.capacity_gib = 79.65, .batched_tokens = 8192, .graph_batch = 256}), 0.835);
  // T4: 512 + 1.5 · 2,048 + 128 + 2 · 8 = 3,728 MiB of 15 · 1024: 0.757; chunks below 2,048 tokens count as 2,048.
  EXPECT_DOUBLE_EQ(*default_memory_fraction(sglang, {.capacity_gib = 15, .batched_tokens = 512, .graph_batch = 8}),
                   0.757);
  // Above 60 GiB at least 10 GiB stay free: 1 − 10 / 80 = 0.875.
  EXPECT_DOUBLE_EQ(*default_memory_fraction(sglang, {.capacity_gib = 80, .batched_tokens = 2048, .graph_batch = 8}),
                   0.875);
  EXPECT_FALSE(default_memory_fraction(find_engine("llama.cpp"), {.capacity_gib = 80}));
}

TEST(EngineFile, AFactWithoutSourceIsRefused) {
  const TempFolder folder;
  const auto file =
      folder.write("x.json", R"({"schema":"dachlast.engine/1","id":"x","name":"X","read_at":"now","facts":{
    "budget":{"value":"whole_device","note":"because"},"window_policy":{"value":"capped","source":"s","note":"n"}}})");
  try {
    read_engine_file(file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.reason(), HasSubstr("facts.budget.source"));
  }
}

TEST(EngineProfile, SglangCapsWindowsOfSomeFamiliesOnly) {
  const EngineProfile sglang = find_engine("sglang");
  expect_sourced(sglang.window_families, "sglang");
  EXPECT_EQ(profile_for(sglang, "gpt_oss").window_policy.value, WindowPolicy::kCapped);
  EXPECT_TRUE(profile_for(sglang, "gpt_oss").window_pool_ratio);
  EXPECT_EQ(profile_for(sglang, "gemma3").window_policy.value, WindowPolicy::kFullLength);
  EXPECT_FALSE(profile_for(sglang, "gemma3").window_pool_ratio);
  EXPECT_EQ(profile_for(find_engine("vllm"), "gemma3").window_policy.value, WindowPolicy::kCapped);
}

}  // namespace
}  // namespace dachlast
