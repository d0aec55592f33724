#include "core/planner/step_memory.h"

#include <gtest/gtest.h>

#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

constexpr ActivationRule kRule{
    .d_ff_copies = 3, .d_model_copies = 3, .d_model_copies_tp = 5, .logit_bytes = 14, .buffer_bytes_per_sm = 4};

// The sizes of Llama 3.1 8B: published trial runs of one prompt are in engine_profile_test.cpp.
TEST(ForwardBytes, TheMlpOfADenseModelIsItsWidestPart) {
  ModelSpec model = round_model(1);
  model.d_model = 4096;
  model.layers[0].mixer = AttentionSpec{.n_heads = 32, .n_kv_heads = 8, .head_dim = 128};
  model.layers[0].feed_forward = MlpSpec{.d_ff = 14336};
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {}, 20000), 20000 * 2.0 * (3 * 14336 + 3 * 4096));
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {.tensor_parallel = 2}, 20000),
                   20000 * 2.0 * (3 * 14336 / 2 + 5 * 4096));
}

TEST(ForwardBytes, TheWidestLayerDecides) {
  ModelSpec model = round_model(3);
  mlp_of(model.layers[1]).d_ff = 1000;
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {}, 1), 2.0 * (3 * 1000 + 3 * 64));
}

TEST(ForwardBytes, AMixerMayBeWiderThanTheMlp) {
  ModelSpec model = round_model(1);
  mlp_of(model.layers[0]).d_ff = 16;
  // q 128, k and v 128, what returns 128
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {}, 1), 2.0 * (384 + 3 * 64));
}

TEST(ForwardBytes, ExpertsHoldWhatEachTokensExpertsDo) {
  ModelSpec model = round_moe();
  for (LayerSpec& layer : model.layers) std::get<MoeSpec>(layer.feed_forward).d_ff = 128;
  // Two experts a token: gate and up 256, product 128; sliced over two ranks half of each. Whole experts keep their width.
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {}, 1), 2.0 * (2 * (256 + 128) + 3 * 64));
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {.tensor_parallel = 2}, 1), 2.0 * (2 * (128 + 64) + 5 * 64));
  EXPECT_DOUBLE_EQ(forward_bytes(model, kRule, {.tensor_parallel = 2, .experts = ExpertPlacement::kWhole}, 1),
                   2.0 * (2 * (256 + 128) + 5 * 64));
}

TEST(SamplerBytes, IsTheWholeVocabularyForEachRow) {
  EngineProfile engine = round_engine(BudgetRule::kFractionOfTotal);
  engine.activations->value = kRule;
  DeviceSpec device = round_device(1e6);
  // 8 rows · 100 · 14 B + hidden states of 512 tokens and twice of the rows.
  EXPECT_DOUBLE_EQ(sampler_bytes(round_model(), engine, device, {.max_num_seqs = 8, .max_num_batched_tokens = 512}),
                   8 * 100 * 14 + 2 * 64 * (512 + 2 * 8));
  // No more rows than tokens in a step.
  EXPECT_DOUBLE_EQ(sampler_bytes(round_model(), engine, device, {.max_num_seqs = 256, .max_num_batched_tokens = 8}),
                   8 * 100 * 14 + 2 * 64 * (8 + 2 * 8));
  // A row of scratch for each multiprocessor, at most one for each row.
  device.n_units = 3;
  EXPECT_DOUBLE_EQ(sampler_bytes(round_model(), engine, device, {.max_num_seqs = 8, .max_num_batched_tokens = 8}),
                   8 * 100 * 14 + 3 * 100 * 4 + 2 * 64 * (8 + 2 * 8));
}

TEST(SamplerBytes, HoldsTheGemmWorkspaceOfTheDevice) {
  EngineProfile engine = round_engine(BudgetRule::kFractionOfTotal);
  const StepLimits limits{.max_num_seqs = 8, .max_num_batched_tokens = 8};
  DeviceSpec device = round_device(1e6);
  device.architecture = "Hopper GH100";
  const double without = sampler_bytes(round_model(), engine, device, limits);
  engine.gemm_workspace = find_engine("vllm").gemm_workspace;
  EXPECT_DOUBLE_EQ(sampler_bytes(round_model(), engine, device, limits), without + 32 * kMiB);
}

}  // namespace
}  // namespace dachlast
