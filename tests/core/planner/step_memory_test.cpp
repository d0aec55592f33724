#include "core/planner/step_memory.h"

#include <gtest/gtest.h>

#include "core/planner/rank_model.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

// d_model 64, d_ff 128: gate and up 256, product 128; residual, input of the layer, input of the MLP and its output.
TEST(ForwardPeak, TensorParallelismCutsWidthsAndSumsOutputs) {
  const BufferRules rules;
  EXPECT_DOUBLE_EQ(forward_peak(round_model(), rules, {}, 10).bytes, 10 * 2.0 * (3 * 128 + 4 * 64));
  // Half the widths, and the sum over ranks beside a rank's share of the output.
  EXPECT_DOUBLE_EQ(forward_peak(round_model(), rules, {.tensor_parallel = 2}, 10).bytes,
                   10 * 2.0 * (3 * 128 / 2 + 5 * 64));
  BufferRules in_place = rules;
  in_place.all_reduce = SumPlace::kInPlace;
  EXPECT_DOUBLE_EQ(forward_peak(round_model(), in_place, {.tensor_parallel = 2}, 10).bytes,
                   10 * 2.0 * (3 * 128 / 2 + 4 * 64));
}

// Two experts a token: gate and up 256, product 128; scores of 4 experts; residual, input of the layer and of the experts, their sum.
TEST(ForwardPeak, SlicedExpertsAreCutAndWholeOnesAreNot) {
  ModelSpec model = round_moe();
  for (LayerSpec& layer : model.layers) std::get<MoeSpec>(layer.feed_forward).d_ff = 128;
  const BufferRules rules;
  EXPECT_DOUBLE_EQ(forward_peak(model, rules, {}, 1).bytes, 2.0 * (2 * (256 + 128) + 4 + 4 * 64));
  EXPECT_DOUBLE_EQ(forward_peak(model, rules, {.tensor_parallel = 2}, 1).bytes, 2.0 * (2 * (128 + 64) + 4 + 5 * 64));
  EXPECT_DOUBLE_EQ(forward_peak(model, rules, {.tensor_parallel = 2, .experts = ExpertPlacement::kWhole}, 1).bytes,
                   2.0 * (2 * (256 + 128) + 4 + 5 * 64));
}

TEST(RankModel, KvHeadsAreCopiedWhereRanksAreMore) {
  const auto cut = std::get<AttentionSpec>(rank_model(round_model(), {.tensor_parallel = 8}).layers[0].mixer);
  EXPECT_EQ(cut.n_heads, 1);
  EXPECT_EQ(cut.n_kv_heads, 1);  // of 4
}

TEST(RankModel, LatentsAreWholeOnEveryRank) {
  const auto cut = std::get<MlaSpec>(rank_model(round_mla(), {.tensor_parallel = 4}).layers[0].mixer);
  EXPECT_EQ(cut.n_heads, 2);
  EXPECT_EQ(cut.kv_lora_rank, 32);
}

TEST(RankModel, StatesAreCutByTheirHeads) {
  const auto cut = std::get<GatedDeltaNetSpec>(rank_model(hybrid_model(), {.tensor_parallel = 2}).layers[0].mixer);
  EXPECT_EQ(cut.n_k_heads, 8);
  EXPECT_EQ(cut.n_v_heads, 24);
}

TEST(SamplerBytes, IsTheWholeVocabularyForEachRow) {
  EngineProfile engine = round_engine(BudgetRule::kFractionOfTotal);
  engine.sampler->value = {.logit_bytes = 14, .buffer_bytes_per_sm = 4};
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

TEST(WorkspaceBytes, HoldsTheGemmScratchWhicheverPeakIsHigher) {
  EngineProfile engine = round_engine(BudgetRule::kFractionOfTotal);
  const StepLimits limits{.max_num_seqs = 8, .max_num_batched_tokens = 8};
  DeviceSpec device = round_device(1e6);
  device.architecture = "Hopper GH100";
  engine.gemm_workspace = find_engine("vllm").gemm_workspace;
  const double sampler = sampler_bytes(round_model(), engine, device, limits);
  EXPECT_DOUBLE_EQ(workspace_bytes(round_model(), engine, device, limits, {.bytes = sampler - 100, .tensors = {}}),
                   32 * kMiB + 100);
  EXPECT_DOUBLE_EQ(workspace_bytes(round_model(), engine, device, limits, {.bytes = sampler + 100, .tensors = {}}),
                   32 * kMiB);
  // Rooms that experts keep lie beside sampling.
  EXPECT_DOUBLE_EQ(
      workspace_bytes(round_model(), engine, device, limits, {.bytes = sampler, .kept_bytes = 50, .tensors = {}}),
      32 * kMiB + 50);
}

TEST(WorkspaceBytes, AnEngineThatReleasesNothingHoldsLogitsBesideItsBuffers) {
  EngineProfile engine = round_engine(BudgetRule::kWholeDevice);
  engine.buffers->value.release = BufferRelease::kNever;
  engine.sampler->value = {.logit_bytes = 4, .buffer_bytes_per_sm = 0};
  // 2 rows of 100 logits and one chosen token each.
  EXPECT_DOUBLE_EQ(workspace_bytes(round_model(), engine, round_device(1e6),
                                   {.max_num_seqs = 2, .max_num_batched_tokens = 8}, {.bytes = 1e6, .tensors = {}}),
                   2 * (100 * 4 + 4));
}

}  // namespace
}  // namespace dachlast
