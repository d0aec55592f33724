#include "core/planner/rank_load.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

std::vector<RankLoad> loads(const ModelSpec& model, const Layout& layout, std::string_view cache = "bf16") {
  return rank_loads(model, plain_weights(*storage_format("bf16")), *cache_format(cache), layout);
}

/// Elements of the weights of a model on one rank, in 16 bits each.
double elements(const ModelSpec& model, const Layout& layout, std::size_t stage = 0) {
  return loads(model, layout)[stage].weight_bytes / 2;
}

// 4 layers of 49,152 + 128; embedding and head 100 · 64 each; final norm 64.
TEST(RankLoad, OneDeviceHoldsEverything) {
  EXPECT_DOUBLE_EQ(elements(round_model(), {}), 4 * 49280 + 2 * 6400 + 64);
}

// Two ranks: half of every projection, norms whole; the vocabulary padded to 128, 64 rows each.
TEST(RankLoad, TensorParallelismHalvesProjectionsAndKeepsNorms) {
  EXPECT_DOUBLE_EQ(elements(round_model(), {.tensor_parallel = 2}), 4 * (49152 / 2 + 128) + 2 * 64 * 64 + 64);
}

// Eight ranks and 4 KV heads: each rank keeps one head of k and one of v, 32 rows, where an eighth were 16.
TEST(RankLoad, KvHeadsAreCopiedWhereThereAreMoreRanks) {
  const double layer = 16 * 64 + 32 * 64 + 64 * 16 + 32 * 64 + 64 * 16 + 128;
  EXPECT_DOUBLE_EQ(elements(round_model(), {.tensor_parallel = 8}), 4 * layer + 2 * 16 * 64 + 64);
}

TEST(RankLoad, ALayersCacheShrinksDownToOneKvHead) {
  // 2 · 4 KV heads · 16 · 2 B = 256 B a token; TP 2 halves them, TP 4 and 8 leave one head.
  for (const auto& [tp, bytes] : {std::pair{1, 256.0}, {2, 128.0}, {4, 64.0}, {8, 64.0}}) {
    const auto rank = loads(round_model(), {.tensor_parallel = tp}).front();
    ASSERT_EQ(rank.caches.size(), 1u);
    EXPECT_EQ(rank.caches[0].n_layers, 4);
    EXPECT_DOUBLE_EQ(rank.caches[0].bytes_per_token, bytes) << tp;
  }
}

TEST(RankLoad, ALatentIsKeptWholeByEveryRank) {
  // (32 + 8) · 2 B
  for (const int tp : {1, 8})
    EXPECT_DOUBLE_EQ(loads(round_mla(), {.tensor_parallel = tp}).front().caches.at(0).bytes_per_token, 80) << tp;
}

TEST(RankLoad, QuantizedCachesHoldTheirScales) {
  // 128 elements a token and layer: 128 B in FP8, 8.25 bits in INT8 by 64, 34 B for 32 in Q8_0.
  EXPECT_DOUBLE_EQ(loads(round_model(), {}, "fp8").front().caches[0].bytes_per_token, 128);
  EXPECT_DOUBLE_EQ(loads(round_model(), {}, "INT8").front().caches[0].bytes_per_token, 128 * 8.25 / 8);
  EXPECT_DOUBLE_EQ(loads(round_model(), {}, "q8_0").front().caches[0].bytes_per_token, 128 / 32 * 34);
  EXPECT_EQ(cache_format("bf17"), nullptr);
}

// 5 layers over two stages: 3 with the embedding, 2 with final norm and head.
TEST(RankLoad, EmbeddingStandsOnTheFirstStageAndHeadOnTheLast) {
  const Layout layout{.pipeline_parallel = 2};
  EXPECT_DOUBLE_EQ(elements(round_model(5), layout, 0), 3 * 49280 + 6400);
  EXPECT_DOUBLE_EQ(elements(round_model(5), layout, 1), 2 * 49280 + 64 + 6400);
  EXPECT_EQ(loads(round_model(5), layout)[0].caches[0].n_layers, 3);
  EXPECT_EQ(loads(round_model(5), layout)[1].caches[0].n_layers, 2);
}

TEST(RankLoad, ATiedEmbeddingStandsOnBothEndsAndItsPositionsOnOne) {
  ModelSpec model = round_model(2);
  model.tied_embeddings = true;
  model.n_learned_positions = 10;
  EXPECT_DOUBLE_EQ(elements(model, {}), 2 * 49280 + 6400 + 640 + 64);
  const Layout layout{.pipeline_parallel = 2};
  EXPECT_DOUBLE_EQ(elements(model, layout, 0), 49280 + 6400 + 640);
  EXPECT_DOUBLE_EQ(elements(model, layout, 1), 49280 + 6400 + 64);
}

TEST(RankLoad, ATowerStandsOnTheFirstStageWhole) {
  ModelSpec model = round_model(2);
  model.towers = {{"vision tower", {{.rows = 10, .columns = 20, .count = 3}}}};
  const double text = elements(round_model(2), {.tensor_parallel = 2, .pipeline_parallel = 2}, 0);
  EXPECT_DOUBLE_EQ(elements(model, {.tensor_parallel = 2, .pipeline_parallel = 2}, 0), text + 600);
  EXPECT_DOUBLE_EQ(elements(model, {.tensor_parallel = 2, .pipeline_parallel = 2}, 1),
                   elements(round_model(2), {.tensor_parallel = 2, .pipeline_parallel = 2}, 1));
}

// Attention 3 · 8,192, norms 128, router 256, experts 6,144 each.
TEST(RankLoad, ExpertsAreSlicedOrSharedOutWhole) {
  const double outside = 2 * 6400 + 64;
  EXPECT_DOUBLE_EQ(elements(round_moe(), {}), 4 * (24576 + 128 + 256 + 4 * 6144) + outside);
  const double halves = 4 * (24576 / 2 + 128 + 256 + 4 * 6144 / 2) + 2 * 64 * 64 + 64;
  EXPECT_DOUBLE_EQ(elements(round_moe(), {.tensor_parallel = 2}), halves);
  EXPECT_DOUBLE_EQ(elements(round_moe(), {.tensor_parallel = 2, .experts = ExpertPlacement::kWhole}), halves);
  // Four experts over three groups: one rank has two. Attention is whole in each group.
  EXPECT_DOUBLE_EQ(elements(round_moe(), {.attention_data_parallel = 3, .experts = ExpertPlacement::kWhole}),
                   4 * (24576 + 128 + 256 + 2 * 6144) + outside);
}

// AWQ by 128: q [128, 64] in 4 bits, one group of 20 bits a row (64 columns are less than 128).
TEST(RankLoad, QuantizationCoversTheProjectionsOnly) {
  const WeightFormat awq = weight_format("awq", *storage_format("bf16"));
  const double bits = (128 + 128 + 256) * (64 * 4 + 20) + (64 + 64) * (128 * 4 + 20);
  const double plain = 4 * 128 + 2 * 6400 + 64;
  EXPECT_DOUBLE_EQ(rank_loads(round_model(), awq, *cache_format("bf16"), {}).front().weight_bytes,
                   4 * bits / 8 + 2 * plain);
}

// Convolution (2 · 16 · 128 + 48 · 128) · 3 · 2 B = 61,440; state 48 · 128 · 128 · 4 B = 3,145,728; halved by TP 2.
TEST(RankLoad, StatesOfLinearAttentionAreHalvedByTensorParallelism) {
  const RankLoad rank = loads(hybrid_model(), {.tensor_parallel = 2}, "fp8").front();
  EXPECT_EQ(rank.n_state_layers, 48);
  EXPECT_DOUBLE_EQ(rank.state_bytes_per_sequence, 48 * (61440 + 3145728) / 2.0);
  ASSERT_EQ(rank.caches.size(), 1u);
  EXPECT_EQ(rank.caches[0].n_layers, 16);
  EXPECT_DOUBLE_EQ(rank.caches[0].bytes_per_token, 2 * 2 * 256);  // two KV heads in FP8
}

TEST(RankLoad, LayersOfOneWindowGoTogether) {
  const RankLoad rank = loads(window_model(), {}).front();
  ASSERT_EQ(rank.caches.size(), 2u);
  EXPECT_EQ(rank.caches[0].n_layers, 52);
  EXPECT_EQ(rank.caches[0].window, 1024);
  EXPECT_EQ(rank.caches[1].n_layers, 10);
  EXPECT_EQ(rank.caches[1].window, 0);
  EXPECT_DOUBLE_EQ(rank.caches[1].bytes_per_token, 2 * 16 * 128 * 2);
}

}  // namespace
}  // namespace dachlast
