#include "core/planner/layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ModelSpec heads(int n_heads, int n_kv_heads) {
  ModelSpec model = round_model();
  for (LayerSpec& layer : model.layers) {
    attention_of(layer).n_heads = n_heads;
    attention_of(layer).n_kv_heads = n_kv_heads;
  }
  return model;
}

/// Why `model` cannot be cut so, and what to do instead.
std::string refusal(const ModelSpec& model, const Layout& layout, ErrorKind kind = ErrorKind::kDoesNotFit) {
  try {
    require_shardable(model, layout);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return std::string(error.subject()) + ": " + std::string(error.reason()) + " " + std::string(error.way_out());
  }
  ADD_FAILURE() << "not refused: " << title_of(layout);
  return "";
}

std::vector<int> layers_by_stage(int n_layers, int n_stages) {
  std::vector<int> counts;
  int next = 0;
  for (int stage = 0; stage < n_stages; ++stage) {
    const StageLayers layers = stage_layers({.pipeline_parallel = n_stages}, n_layers, stage);
    EXPECT_EQ(layers.first, next);
    next += layers.count;
    counts.push_back(layers.count);
  }
  EXPECT_EQ(next, n_layers);
  return counts;
}

TEST(Layout, StagesBeforeTheLastGetTheRemainder) {
  EXPECT_THAT(layers_by_stage(32, 1), ElementsAre(32));
  EXPECT_THAT(layers_by_stage(32, 4), ElementsAre(8, 8, 8, 8));
  EXPECT_THAT(layers_by_stage(5, 2), ElementsAre(3, 2));
  EXPECT_THAT(layers_by_stage(6, 4), ElementsAre(1, 2, 2, 1));
  EXPECT_THAT(layers_by_stage(61, 4), ElementsAre(15, 15, 16, 15));  // DeepSeek V3
  EXPECT_THAT(layers_by_stage(3, 3), ElementsAre(1, 1, 1));
}

TEST(Layout, HeadsMustBeDivisible) {
  EXPECT_EQ(refusal(heads(32, 8), {.tensor_parallel = 3}),
            "TP 3: 32 attention heads are not divisible by 3. TP 2 is the largest below that divides them.");
  EXPECT_THAT(refusal(heads(32, 8), {.tensor_parallel = 64}), HasSubstr("TP 32 is the largest"));
  EXPECT_NO_THROW(require_shardable(heads(32, 8), {.tensor_parallel = 8}));
}

TEST(Layout, KvHeadsAreSharedOutOrCopiedEvenly) {
  EXPECT_NO_THROW(require_shardable(heads(32, 2), {.tensor_parallel = 8}));  // each KV head on four ranks
  EXPECT_NO_THROW(require_shardable(heads(32, 1), {.tensor_parallel = 8}));
  EXPECT_THAT(refusal(heads(24, 8), {.tensor_parallel = 6}), HasSubstr("8 KV heads are not divisible by 6."));
  EXPECT_THAT(refusal(heads(24, 3), {.tensor_parallel = 4}), HasSubstr("4 ranks cannot share 3 KV heads evenly."));
}

TEST(Layout, ColumnsOfTheMlpMustBeDivisible) {
  ModelSpec model = round_model();
  for (LayerSpec& layer : model.layers) mlp_of(layer).d_ff = 100;
  EXPECT_THAT(refusal(model, {.tensor_parallel = 8}), HasSubstr("100 columns of the MLP are not divisible by 8."));
}

TEST(Layout, EachKindOfMixerIsCheckedByItsOwnHeads) {
  EXPECT_THAT(refusal(round_mla(), {.tensor_parallel = 16}), HasSubstr("8 attention heads"));
  EXPECT_THAT(refusal(hybrid_model(), {.tensor_parallel = 32}), HasSubstr("16 key heads of the linear attention"));
  ModelSpec model = round_model(1);
  model.layers[0].mixer = Mamba1Spec{.d_inner = 36, .d_state = 16, .dt_rank = 4, .conv_kernel = 4};
  EXPECT_THAT(refusal(model, {.tensor_parallel = 8}), HasSubstr("36 channels of the state-space layer"));
  model.layers[0].mixer = Mamba2Spec{.n_heads = 12, .head_dim = 16, .d_state = 16, .n_groups = 1, .conv_kernel = 4};
  EXPECT_THAT(refusal(model, {.tensor_parallel = 8}), HasSubstr("12 heads of the state-space layer"));
}

TEST(Layout, ExpertsAreSlicedOrShared) {
  // 32 columns of an expert over 3 ranks do not divide; 4 whole experts over 3 ranks are 2, 1 and 1.
  EXPECT_THAT(refusal(round_moe(), {.attention_data_parallel = 3}), HasSubstr("--expert-parallel"));
  EXPECT_NO_THROW(require_shardable(round_moe(), {.attention_data_parallel = 3, .experts = ExpertPlacement::kWhole}));
  EXPECT_THAT(refusal(round_moe(), {.attention_data_parallel = 5, .experts = ExpertPlacement::kWhole}),
              HasSubstr("there are 4 experts"));
  EXPECT_THAT(refusal(round_model(), {.tensor_parallel = 2, .experts = ExpertPlacement::kWhole}, ErrorKind::kUsage),
              HasSubstr("no routed experts"));
}

TEST(Layout, SharedExpertsAreCutByTensorParallelism) {
  ModelSpec model = round_moe();
  for (LayerSpec& layer : model.layers) std::get<MoeSpec>(layer.feed_forward).shared_d_ff = 36;
  EXPECT_THAT(refusal(model, {.tensor_parallel = 8}), HasSubstr("36 columns of the shared expert"));
}

TEST(Layout, NoMoreStagesThanLayers) {
  EXPECT_EQ(refusal(round_model(4), {.pipeline_parallel = 5}),
            "PP 5: the model has 4 layers. Use at most one stage a layer.");
}

TEST(Layout, RanksAreCountedWithinReason) {
  EXPECT_THAT(refusal(round_model(), {.tensor_parallel = 0}, ErrorKind::kUsage), HasSubstr("tensor parallelism"));
  EXPECT_THAT(refusal(round_model(), {.pipeline_parallel = -1}, ErrorKind::kUsage), HasSubstr("-1"));
  EXPECT_THAT(refusal(round_model(), {.attention_data_parallel = 0}, ErrorKind::kUsage), HasSubstr("data"));
  // 8 · 2^30 ranks do not fit in an int.
  EXPECT_THAT(refusal(round_model(), {.tensor_parallel = 8, .attention_data_parallel = 1 << 30}, ErrorKind::kUsage),
              HasSubstr("more than 65536 devices"));
}

TEST(Layout, IsNamedAsPeopleSayIt) {
  EXPECT_EQ(title_of(Layout{}), "one device");
  EXPECT_EQ(title_of(Layout{.tensor_parallel = 8, .pipeline_parallel = 2, .experts = ExpertPlacement::kWhole}),
            "TP 8 × PP 2, EP");
  EXPECT_EQ(title_of(Layout{.attention_data_parallel = 4}), "attention DP 4");
}

}  // namespace
}  // namespace dachlast
