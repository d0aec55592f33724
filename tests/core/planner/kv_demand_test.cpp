#include "core/planner/kv_demand.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

RankLoad rank_of(std::vector<CacheGroup> caches) {
  RankLoad rank;
  rank.caches = std::move(caches);
  return rank;
}

RankLoad gemma_like() {
  return rank_of({{52, 1000, 1024}, {10, 1000, 0}});
}

RankLoad hybrid_at_tp2() {
  return rank_loads(hybrid_model(), plain_weights(*storage_format("bf16")), *cache_format("fp8"),
                    {.tensor_parallel = 2})
      .front();
}

TEST(KvDemand, OneKindOfLayersTakesWholeBlocks) {
  // 100 tokens are 7 blocks of 16; 32 layers of 4,096 B a token.
  const KvDemand kv(rank_of({{32, 4096, 0}}), find_engine("vllm"), 16, 8192);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(100), 7 * 16 * 32 * 4096.0);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(112), 7 * 16 * 32 * 4096.0);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(113), 8 * 16 * 32 * 4096.0);
  EXPECT_DOUBLE_EQ(kv.growing_bytes_per_token(), 32 * 4096.0);
  EXPECT_DOUBLE_EQ(kv.tokens_in(10.9 * 16 * 32 * 4096, 4096), 160);
  EXPECT_DOUBLE_EQ(kv.tokens_in(-1, 4096), 0);
}

TEST(KvDemand, KeysThatWaitForTheirBlockAreHeldOnceASequence) {
  // The round model: 4 layers of 4 KV heads of 16; a block of 32 tokens' keys in 2 B each.
  CacheFormat format = *cache_format("int8");
  const auto demand = [&](int tp) {
    return KvDemand(
        rank_loads(round_model(), plain_weights(*storage_format("bf16")), format, {.tensor_parallel = tp}).front(),
        find_engine("dachlast"), 32, 8192);
  };
  const double without = demand(1).bytes_per_sequence(1000);
  format.waiting_tokens = 32;
  EXPECT_DOUBLE_EQ(demand(1).waiting_bytes_per_sequence(), 4 * 32 * 4 * 16 * 2.0);
  EXPECT_DOUBLE_EQ(demand(1).bytes_per_sequence(1000), without + 4 * 32 * 4 * 16 * 2.0);
  EXPECT_DOUBLE_EQ(demand(2).waiting_bytes_per_sequence(), 4 * 32 * 2 * 16 * 2.0);  // half the KV heads each
}

TEST(KvDemand, VllmKeepsAWindowAndOneStepOfEachGroupInOnePool) {
  // Groups of 10 layers: one of full attention, six of windows, the last with 8 layers of padding. 8,192 tokens are 512
  // blocks; a window holds (1,023 + 512) / 16 = 95.9, so 96 blocks and one it straddles.
  const KvDemand kv(gemma_like(), find_engine("vllm"), 16, 512);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(8192), (512 + 6 * 97) * 16 * 10 * 1000.0);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(160), 7 * 10 * 16 * 10 * 1000.0);  // shorter than the window
  EXPECT_DOUBLE_EQ(kv.growing_bytes_per_token(), 10 * 1000.0);
  // 1,094 blocks are a sequence: 10 sequences of 8,192 tokens.
  EXPECT_DOUBLE_EQ(kv.tokens_in(10 * 1094 * 160000.0, 8192), 81920);
}

TEST(KvDemand, NarrowerLayersKeepMoreTokensInABlock) {
  // As Gemma 4 31B: a full layer takes half of a window layer's bytes, so its blocks hold 32 tokens. 6,400 tokens are 200
  // blocks; a window of 1,024 beside steps of 512 keeps 97, in five groups of 10 layers.
  const KvDemand kv(rank_of({{50, 2000, 1024}, {10, 1000, 0}}), find_engine("vllm"), 16, 512);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(6400), (200 + 5 * 97) * 16 * 10 * 2000.0);
  // 1,500 B do not divide 2,000: blocks of 16 tokens with a quarter unused.
  const KvDemand odd(rank_of({{50, 2000, 1024}, {10, 1500, 0}}), find_engine("vllm"), 16, 512);
  EXPECT_DOUBLE_EQ(odd.bytes_per_sequence(6400), (400 + 5 * 97) * 16 * 10 * 2000.0);
}

TEST(KvDemand, VersionsBeforeTheConcurrencyReportDivideTheBlocks) {
  // Seven groups of 10 layers: 7 · 160,000 B for 16 tokens.
  const KvDemand kv(gemma_like(), find_engine("vllm@0.20"), 16, 512);
  EXPECT_DOUBLE_EQ(kv.tokens_in(100.5 * 7 * 160000, 8192), 1600);
}

TEST(KvDemand, KindsOfNearlyEqualNumberArePaddedToTheCommonest) {
  // 12 < 1.25 · 10: groups of 12, full attention padded by 2.
  const KvDemand kv(rank_of({{12, 1000, 1024}, {10, 1000, 0}}), find_engine("vllm"), 16, 512);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(8192), (512 + 97) * 16 * 12 * 1000.0);
  const auto parts = kv.parts(8192);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].n_padding, 0);
  EXPECT_EQ(parts[1].n_padding, 2);
}

TEST(KvDemand, OtherEnginesPadNothing) {
  // TensorRT-LLM: a pool for each window; blocks of 32: 256 of 8,192 tokens, (1,023 + 512) / 32 = 47.97: 48 and one.
  const KvDemand tensorrt(gemma_like(), find_engine("tensorrt-llm"), 32, 512);
  EXPECT_DOUBLE_EQ(tensorrt.bytes_per_sequence(8192), 10 * 1000.0 * 8192 + 52 * 1000.0 * 49 * 32);
  // llama.cpp: a ring of window + n_ubatch = 1,536 cells, allocated once.
  const KvDemand llama(gemma_like(), find_engine("llama.cpp"), 256, 512);
  EXPECT_DOUBLE_EQ(llama.bytes_per_sequence(8192), 10 * 1000.0 * 8192 + 52 * 1000.0 * 1536);
}

TEST(KvDemand, FullLengthEnginesKeepEveryTokenOfWindows) {
  const KvDemand kv(gemma_like(), find_engine("dachlast"), 1, 512);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(5000), 62 * 1000.0 * 5000);
}

TEST(KvDemand, SglangSizesTheWindowPoolByTheFullOne) {
  const KvDemand kv(gemma_like(), find_engine("sglang"), 1, 8192);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(1000), 1000 * (10 * 1000 + 0.8 * 52 * 1000));
  EXPECT_DOUBLE_EQ(kv.tokens_in(51600.0 * 77.5, 1000), 77);  // 10,000 + 41,600 B a token
}

// Published: Qwen3.8-27B, TP 2, FP8 cache: blocks of 1,568 tokens; 4.99 GiB hold 302,921 tokens at a length of 131,072.
// State of a layer: (61,440 + 3,145,728) / 2 = 1,603,584 B; 1,024 B a token of attention: 1,566 tokens, by 16: 1,568.
// Groups of 16 layers: one of attention, three of states, two states a request: ⌈131,072 / 1,568⌉ + 2 · 3 = 90 blocks.
// 4.99 GiB / (16 · 1,568 · 1,024 B) = 208 blocks; 208 / 90 · 131,072 = 302,921.
TEST(KvDemand, HybridsHoldStatesInBlocksOfAttention) {
  const KvDemand kv(hybrid_at_tp2(), find_engine("vllm"), 16, 8192);
  EXPECT_EQ(kv.block_tokens(), 1568);
  EXPECT_DOUBLE_EQ(kv.tokens_in(4.99 * kGiB, 131072), 302921);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(131072), 90 * 16 * 1568 * 1024.0);
  EXPECT_DOUBLE_EQ(kv.state_bytes_per_sequence(), 6 * 16 * 1568 * 1024.0);
}

TEST(KvDemand, ElsewhereAStateIsAddedAsItIs) {
  const KvDemand kv(hybrid_at_tp2(), find_engine("dachlast"), 1, 512);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(1000), 48 * 1603584.0 + 16 * 1024 * 1000);
}

TEST(KvDemand, AModelOfStatesAloneTakesTheSameAtAnyLength) {
  RankLoad rank;
  rank.n_state_layers = 4;
  rank.state_bytes_per_sequence = 4000;
  const KvDemand kv(rank, find_engine("vllm"), 16, 8192);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(1), 4000);
  EXPECT_DOUBLE_EQ(kv.bytes_per_sequence(1 << 20), 4000);
}

TEST(KvDemand, PartsAddUpToTheSequence) {
  for (const char* engine : {"vllm", "sglang", "tensorrt-llm", "llama.cpp", "dachlast"})
    for (const RankLoad& rank : {gemma_like(), hybrid_at_tp2()}) {
      const EngineProfile profile = find_engine(engine);
      const KvDemand kv(rank, profile, profile.block_size_tokens->value, 2048);
      double bytes = kv.state_bytes_per_sequence();
      for (const KvPart& part : kv.parts(10000)) bytes += part.n_layers * part.bytes_per_token * part.held_tokens;
      EXPECT_NEAR(bytes, kv.bytes_per_sequence(10000), 1e-9 * bytes) << engine;
    }
}

}  // namespace
}  // namespace dachlast
