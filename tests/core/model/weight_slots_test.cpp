#include "core/model/weight_slots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/model_source.h"
#include "core/model/weights.h"

namespace dachlast {
namespace {

ModelSpec model(const std::string& preset) {
  return resolve_model(preset).spec;
}

/// The slots of a role in a layer, matrices only.
std::vector<WeightSlot> matrices(const ModelSpec& model, WeightRole role, int layer) {
  std::vector<WeightSlot> found = weight_slots(model);
  std::erase_if(found, [&](const WeightSlot& slot) {
    return slot.role != role || slot.layer != layer || slot.part != WeightPart::kMatrix;
  });
  return found;
}

TEST(WeightSlots, QueriesAndKeysAreSplitByTheirOwnHeads) {
  const auto qkv = matrices(model("llama-3.1-8b"), WeightRole::kQkv, 0);
  ASSERT_EQ(qkv.size(), 2u);
  EXPECT_EQ(qkv[0].rows, 32 * 128);
  EXPECT_EQ(qkv[0].shard, Shard::kRows);
  EXPECT_EQ(qkv[0].shard_units, 32);
  EXPECT_EQ(qkv[1].rows, 2 * 8 * 128);
  EXPECT_EQ(qkv[1].shard, Shard::kKvHeads);
  EXPECT_EQ(qkv[1].shard_units, 8);
}

TEST(WeightSlots, TheEngineKeepsThemInOneMatrix) {
  const ModelSpec spec = model("llama-3.1-8b");
  const auto fused = fused_weight_slots(spec);
  const auto qkv = std::ranges::find_if(fused, [](const WeightSlot& slot) { return slot.role == WeightRole::kQkv; });
  EXPECT_EQ(qkv->rows, (32 + 2 * 8) * 128);
  double sum = 0.0;
  for (const WeightSlot& slot : fused) sum += static_cast<double>(slot.size());
  EXPECT_EQ(sum, parameter_count(spec));
}

TEST(WeightSlots, ExpertsAreCountedOnceAndRoutersAreWhole) {
  const auto up = matrices(model("mixtral-8x7b"), WeightRole::kExpertUp, 31);
  ASSERT_EQ(up.size(), 1u);
  EXPECT_EQ(up[0].count, 8);
  EXPECT_EQ(up[0].rows, 2 * 14336);
  EXPECT_EQ(up[0].shard, Shard::kExpertRows);
  EXPECT_EQ(up[0].weight_class, WeightClass::kExpert);
  const auto router = matrices(model("mixtral-8x7b"), WeightRole::kRouter, 31);
  EXPECT_EQ(router.at(0).shard, Shard::kReplicated);
  EXPECT_EQ(router.at(0).weight_class, WeightClass::kRouter);
}

TEST(WeightSlots, LatentProjectionsAreKeptWholeOnEveryRank) {
  const ModelSpec spec = model("deepseek-v3");
  EXPECT_EQ(matrices(spec, WeightRole::kKvDown, 0).at(0).shard, Shard::kReplicated);
  EXPECT_EQ(matrices(spec, WeightRole::kQDown, 0).at(0).shard, Shard::kReplicated);
  EXPECT_EQ(matrices(spec, WeightRole::kKvUp, 0).at(0).shard, Shard::kRows);
  EXPECT_EQ(matrices(spec, WeightRole::kOProj, 0).at(0).shard, Shard::kColumns);
  EXPECT_EQ(matrices(spec, WeightRole::kKvUp, 0).at(0).shard_units, 128);
}

TEST(WeightSlots, BiasesBehindSplitColumnsAreKeptWhole) {
  for (const WeightSlot& slot : weight_slots(model("gpt2"))) {
    if (slot.part != WeightPart::kBias) continue;
    const bool summed = slot.role == WeightRole::kOProj || slot.role == WeightRole::kMlpDown;
    if (summed) {
      EXPECT_EQ(slot.shard, Shard::kReplicated);
    }
    if (slot.role == WeightRole::kMlpUp) {
      EXPECT_EQ(slot.shard, Shard::kRows);
    }
  }
}

TEST(WeightSlots, MambaSharesBAndCAmongTheHeadsOfAGroup) {
  const auto in = matrices(model("nemotron-h-8b"), WeightRole::kMixerIn, 0);
  ASSERT_EQ(in.size(), 2u);
  EXPECT_EQ(in[0].rows, 2 * 128 * 64 + 128);  // gate and x, dt
  EXPECT_EQ(in[1].rows, 2 * 8 * 128);         // B and C
  EXPECT_EQ(in[1].shard_units, 8);
}

TEST(WeightSlots, BlocksOfOneBranchHaveOneNorm) {
  const ModelSpec spec = model("nemotron-h-8b");
  int norms = 0;
  for (const WeightSlot& slot : weight_slots(spec))
    norms += slot.role == WeightRole::kInputNorm || slot.role == WeightRole::kMlpNorm ? 1 : 0;
  EXPECT_EQ(norms, 52);
}

TEST(ExtraWeightSlots, MtpLayersCountOnBehindTheOthers) {
  const auto extra = extra_weight_slots(model("deepseek-v3"));
  EXPECT_EQ(extra.front().layer, 61);
  EXPECT_EQ(extra.front().owner, WeightOwner::kMtp);
  // Embeddings and head are stored again beside it.
  const auto heads = std::ranges::count(extra, WeightRole::kLmHead, &WeightSlot::role);
  EXPECT_EQ(heads, 1);
  EXPECT_TRUE(std::ranges::none_of(extra_weight_slots(model("glm-5")),
                                   [](const WeightSlot& slot) { return slot.role == WeightRole::kLmHead; }));
}

TEST(ExtraWeightSlots, TowersAreWhole) {
  for (const WeightSlot& slot : extra_weight_slots(model("gemma-3-4b"))) {
    EXPECT_EQ(slot.owner, WeightOwner::kTower);
    EXPECT_EQ(slot.shard, Shard::kReplicated);
  }
}

TEST(MissingKernels, NamesWhatTheEngineLacks) {
  EXPECT_EQ(missing_kernels(model("llama-3.1-8b")), std::nullopt);
  EXPECT_EQ(missing_kernels(model("gemma-3-4b")), std::nullopt);
  EXPECT_EQ(missing_kernels(model("mixtral-8x7b")), "the engine has no kernels for routed experts yet");
  EXPECT_EQ(missing_kernels(model("deepseek-v2-lite")), "the engine has no kernels for routed experts yet");
  EXPECT_EQ(missing_kernels(model("deepseek-v3.2")), "the engine has no kernels for sparse attention over latents yet");
  EXPECT_EQ(missing_kernels(model("bloom-560m")), "the engine has no kernels for ALiBi yet");
  EXPECT_EQ(missing_kernels(model("olmo-2-7b")), "the engine has no kernels for norms over all queries or keys yet");
  EXPECT_EQ(missing_kernels(model("granite-3.3-8b")), "the engine has no kernels for scaled branches or logits yet");
  EXPECT_EQ(missing_kernels(model("falcon-7b")), "the engine has no kernels for its architecture's blocks yet");
}

}  // namespace
}  // namespace dachlast
