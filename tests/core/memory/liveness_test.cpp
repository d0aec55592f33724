#include "core/memory/liveness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

// d_model 64; 8 heads and 4 KV heads of 16: q 128, k and v 128.
ModelSpec dense(int n_layers = 3, int d_ff = 128) {
  ModelSpec model;
  model.architecture = "dense";
  model.d_model = 64;
  model.vocab_size = 100;
  model.max_context = 4096;
  LayerSpec layer;
  layer.mixer = AttentionSpec{.n_heads = 8, .n_kv_heads = 4, .head_dim = 16};
  layer.feed_forward = MlpSpec{.d_ff = d_ff};
  model.layers.assign(static_cast<std::size_t>(n_layers), layer);
  return model;
}

// Four experts, two a token, each as wide as `d_ff`.
ModelSpec experts(int d_ff, int shared_d_ff = 0) {
  ModelSpec model = dense();
  for (LayerSpec& layer : model.layers)
    layer.feed_forward = MoeSpec{.n_experts = 4, .n_active = 2, .d_ff = d_ff, .shared_d_ff = shared_d_ff};
  return model;
}

std::vector<std::string> names_of(const LivePeak& peak) {
  std::vector<std::string> names;
  for (const LiveTensor& tensor : peak.tensors) names.emplace_back(tensor.name);
  return names;
}

double elements_of(const ModelSpec& model, const BufferRules& rules, int n_ranks = 1) {
  const LivePeak peak = live_peak(model, rules, 1, n_ranks);
  return peak.bytes / rules.element_bytes;
}

TEST(LivePeak, FreedAtTheLastReadOnlyWhatIsStillNeededLives) {
  const LivePeak peak = live_peak(dense(3, 160), {.release = BufferRelease::kAtLastRead}, 10, 1);
  // gate and up 320, their product 160, and the residual, which the branch is to be added to.
  EXPECT_DOUBLE_EQ(peak.bytes, 10 * 2.0 * (320 + 160 + 64));
  EXPECT_EQ(peak.op, OpKind::kMlpAct);
  EXPECT_EQ(peak.layer, 0);
  EXPECT_THAT(names_of(peak), ElementsAre("mlp_up", "mlp_hidden", "residual"));
}

TEST(LivePeak, NamesHoldInputsUntilTheirFunctionReturns) {
  const LivePeak peak = live_peak(dense(), {}, 10, 1);
  // The residual, the input of the layer, the input of the MLP and its output, beside all that the MLP names.
  EXPECT_DOUBLE_EQ(peak.bytes, 10 * 2.0 * (256 + 128 + 4 * 64));
  EXPECT_EQ(peak.op, OpKind::kMlpDown);
  EXPECT_EQ(peak.layer, 1);  // the first layer's input is the residual itself
  EXPECT_THAT(names_of(peak), UnorderedElementsAre("mlp_up", "mlp_hidden", "residual", "normed", "normed", "branch"));
}

TEST(LivePeak, AnMlpThatUsesANameAgainGivesUpGateAndUp) {
  BufferRules rules;
  rules.renames_up = {"dense"};
  const LivePeak peak = live_peak(dense(3, 160), rules, 10, 1);
  EXPECT_DOUBLE_EQ(peak.bytes, 10 * 2.0 * (320 + 160 + 3 * 64));
  EXPECT_EQ(peak.op, OpKind::kMlpAct);
}

TEST(LivePeak, TheFirstLayersInputIsTheResidual) {
  EXPECT_DOUBLE_EQ(elements_of(dense(1), {}), 256 + 128 + 3 * 64);
}

TEST(LivePeak, TheWidestLayerDecides) {
  ModelSpec model = dense();
  std::get<MlpSpec>(model.layers[1].feed_forward).d_ff = 1000;
  const LivePeak peak = live_peak(model, {}, 1, 1);
  EXPECT_DOUBLE_EQ(peak.bytes, 2.0 * (3 * 1000 + 4 * 64));
  EXPECT_EQ(peak.layer, 1);
}

TEST(LivePeak, AMixerMayBeWiderThanTheMlp) {
  ModelSpec model = dense();
  for (LayerSpec& layer : model.layers) std::get<MlpSpec>(layer.feed_forward).d_ff = 16;
  const LivePeak peak = live_peak(model, {}, 1, 1);
  // q, k and v 256, what attention returns 128, what the projection makes of it; the residual and the input of the layer.
  EXPECT_DOUBLE_EQ(peak.bytes, 2.0 * (256 + 128 + 3 * 64));
  EXPECT_EQ(peak.op, OpKind::kOProj);
}

TEST(LivePeak, RanksSumBesideTheirShares) {
  EXPECT_DOUBLE_EQ(elements_of(dense(), {}, 2), 256 + 128 + 5 * 64);
  EXPECT_DOUBLE_EQ(elements_of(dense(), {.all_reduce = SumPlace::kInPlace}, 2), 256 + 128 + 4 * 64);
}

TEST(LivePeak, LayerNormWritesAResidualOfItsOwn) {
  ModelSpec model = dense();
  model.norm.kind = NormKind::kLayer;
  // The input of the layer is the residual before attention; beside it the one after.
  EXPECT_DOUBLE_EQ(elements_of(model, {}), 256 + 128 + 4 * 64);
}

TEST(LivePeak, NormsOfHeadsStandBesideWhatTheyNorm) {
  ModelSpec model = dense();
  for (LayerSpec& layer : model.layers) {
    std::get<AttentionSpec>(layer.mixer).qk_norm = QkNorm::kPerHead;
    layer.feed_forward = MlpSpec{.d_ff = 16};
  }
  // Normed q 128 and k 64 more than in AMixerMayBeWiderThanTheMlp.
  EXPECT_DOUBLE_EQ(elements_of(model, {}), 256 + 128 + 3 * 64 + 192);
}

TEST(LivePeak, BranchesOfAParallelBlockShareTheirInput) {
  ModelSpec model = dense();
  model.wiring = BlockWiring::kParallel;
  model.norm.kind = NormKind::kLayer;
  // The input of the layer, its sum with attention, the norm both branches read, and the MLP's output.
  EXPECT_DOUBLE_EQ(elements_of(model, {}), 256 + 128 + 4 * 64);
}

TEST(LivePeak, ExpertsShareARoomUnlessTheEngineDoesNot) {
  // d_ff 128: gate and up 256 wide, output 64: room 2 · 256; product 2 · 128; scores 4; residual, two inputs, sum.
  EXPECT_DOUBLE_EQ(elements_of(experts(128), {}), 2 * (256 + 128) + 4 + 4 * 64);
  EXPECT_DOUBLE_EQ(elements_of(experts(128), {.experts = ExpertRooms::kSeparate}), 2 * (256 + 128 + 64) + 4 + 4 * 64);
  EXPECT_DOUBLE_EQ(elements_of(experts(128), {.expert_sum = SumPlace::kInPlace}), 2 * (256 + 128) + 4 + 3 * 64);
  // d_ff 16: the output is the widest of the room.
  EXPECT_DOUBLE_EQ(elements_of(experts(16), {}), std::max(2 * (64 + 16) + 4 + 4 * 64, 256 + 128 + 3 * 64));
}

TEST(LivePeak, RoomsThatAreKeptLieBesideTheNextMixer) {
  const BufferRules kept{.experts = ExpertRooms::kKept};
  const LivePeak peak = live_peak(experts(16), kept, 1, 1);
  // Both rooms as wide as the output, 2 · 64; with them q, k, v 256, attention 128, its projection, residual and input.
  EXPECT_DOUBLE_EQ(peak.bytes, 2.0 * (2 * (64 + 64) + 256 + 128 + 3 * 64));
  EXPECT_DOUBLE_EQ(peak.kept_bytes, 2.0 * 2 * (64 + 64));
  EXPECT_DOUBLE_EQ(live_peak(experts(16), {}, 1, 1).kept_bytes, 0);
  EXPECT_EQ(peak.op, OpKind::kOProj);
}

TEST(LivePeak, ASharedExpertsOutputWaitsForTheOthers) {
  EXPECT_DOUBLE_EQ(elements_of(experts(128, 32), {}), 2 * (256 + 128) + 4 + 5 * 64);
  // Run last it meets the room of the routed ones' output while they are still to be summed.
  EXPECT_GT(elements_of(experts(128, 400), {.shared_expert = SharedExpert::kLast}),
            elements_of(experts(128, 400), {.shared_expert = SharedExpert::kFirst}));
}

TEST(LivePeak, ExpertsInPiecesHoldNoMoreThanAPiece) {
  const LivePeak peak = live_peak(experts(128), {.expert_chunk_tokens = 90}, 100, 1);
  EXPECT_DOUBLE_EQ(peak.bytes, 2.0 * (90 * 2 * (256 + 128) + 100 * (4 + 4 * 64)));
}

TEST(LivePeak, LatentAttentionRebuildsAndJoinsKeys) {
  ModelSpec model = dense();
  for (LayerSpec& layer : model.layers) {
    layer.mixer =
        MlaSpec{.n_heads = 8, .kv_lora_rank = 32, .qk_nope_head_dim = 16, .qk_rope_head_dim = 8, .v_head_dim = 16};
    layer.feed_forward = MlpSpec{.d_ff = 16};
  }
  // Latent and rotated key 40, normed latent 32, q 8 · 24, rebuilt 8 · 32, joined keys 8 · 24, result 8 · 16; residual and input.
  EXPECT_DOUBLE_EQ(elements_of(model, {}), 40 + 32 + 192 + 256 + 192 + 128 + 2 * 64);
  // Without joined keys the projection of the result is the peak.
  EXPECT_DOUBLE_EQ(elements_of(model, {.latent_keys = LatentKeys::kInPlace}), 40 + 32 + 192 + 256 + 128 + 3 * 64);
}

TEST(LivePeak, BuffersThatAreNeverReleasedAddUp) {
  const LivePeak peak = live_peak(dense(), {.element_bytes = 4, .release = BufferRelease::kNever}, 10, 1);
  // Ids 1, residual, normed and branch 64 each, qkv 256, attended 128, gate and up 256, product 128.
  EXPECT_DOUBLE_EQ(peak.bytes, 10 * 4.0 * (1 + 3 * 64 + 256 + 128 + 256 + 128));
}

TEST(LivePeak, NothingIsFreedBeforeItsLastRead) {
  for (const BufferRelease release : {BufferRelease::kAtLastRead, BufferRelease::kAtReturn}) {
    const LivePeak peak = live_peak(experts(128, 32), {.release = release}, 7, 2);
    double sum = 0;
    for (const LiveTensor& tensor : peak.tensors) {
      EXPECT_LE(tensor.first, tensor.last);
      EXPECT_DOUBLE_EQ(tensor.bytes, tensor.elements * 7 * 2);
      sum += tensor.bytes;
    }
    EXPECT_DOUBLE_EQ(sum, peak.bytes);
  }
}

TEST(LivePeak, NamesNeverHoldLessThanReads) {
  for (const BlockWiring wiring : {BlockWiring::kSequential, BlockWiring::kSandwich, BlockWiring::kParallel,
                                   BlockWiring::kPostNorm, BlockWiring::kParallelTwoNorms, BlockWiring::kBranchNorm})
    for (ModelSpec model : {dense(), experts(64), experts(64, 48)}) {
      model.wiring = wiring;
      EXPECT_GE(elements_of(model, {.release = BufferRelease::kAtReturn}),
                elements_of(model, {.release = BufferRelease::kAtLastRead}));
    }
}

TEST(FormulaOf, SaysWhatItMultipliesAndWhere) {
  EXPECT_EQ(
      formula_of(live_peak(dense(), {}, 2048, 1)),
      "2,048 tokens × 2 B × (mlp_up 256 + mlp_hidden 128 + residual 64 + 2 × normed 64 + branch 64) at mlp_down of "
      "layer 1");
  EXPECT_EQ(
      formula_of(live_peak(experts(128), {.expert_chunk_tokens = 1000}, 2000, 1)),
      "2,000 tokens × 2 B × (expert_up 512 of 1,000 tokens + expert_hidden 256 of 1,000 tokens + residual 64 + 2 × "
      "normed 64 + branch 64 + scores 4) at combine of layer 1");
}

}  // namespace
}  // namespace dachlast
