#include "core/model/gguf_mix.h"

#include <gtest/gtest.h>

#include "tests/core/memory/llamacpp_shapes.h"

namespace dachlast {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;

const GgufTypedTensor& tensor(const GgufWeights& weights, std::string_view name, int layer) {
  for (const GgufTypedTensor& candidate : weights.tensors)
    if (candidate.shape.name == name && candidate.shape.layer == layer) return candidate;
  ADD_FAILURE() << "no tensor " << name;
  return weights.tensors.front();
}

TEST(GgufMix, ReadsFileTypesAsProgramsPrintThem) {
  EXPECT_EQ(gguf_mix("Q4_K - Medium")->name, "Q4_K_M");
  EXPECT_EQ(gguf_mix("Q4_K - Medium")->type->name, "Q4_K");
  EXPECT_EQ(gguf_mix("Q4_K_M")->name, "Q4_K_M");
  EXPECT_EQ(gguf_mix("Q2_K - Medium")->name, "Q2_K");
  EXPECT_EQ(gguf_mix("IQ3_S mix - 3.66 bpw")->name, "IQ3_M");
  EXPECT_EQ(gguf_mix("IQ3_K_R4 - 3.4325 bpw")->type->name, "IQ3_K_R4");
  EXPECT_EQ(gguf_mix("mostly Q4_0")->name, "Q4_0");
  EXPECT_EQ(gguf_mix("all F32")->name, "F32");
  EXPECT_EQ(gguf_mix("BF16")->type->block_bytes, 2);
  EXPECT_FALSE(gguf_mix("unknown, may not work"));
  EXPECT_FALSE(gguf_mix(""));
}

TEST(GgufMix, VectorsStayF32AndTheHeadGetsQ6K) {
  const GgufWeights weights = gguf_weights(llama_2_7b_shape(), *gguf_mix("Q4_0"));
  EXPECT_EQ(tensor(weights, "attn_norm", 0).type->name, "F32");
  EXPECT_EQ(tensor(weights, "output", -1).type->name, "Q6_K");
  EXPECT_EQ(tensor(weights, "token_embd", -1).type->name, "Q4_0");
  // Layers 32 · 202,375,168 · 4.5 bit, head 131,072,000 · 6.5625 bit, 65 norms of 4096 F32: 3577.55 MiB beside the table.
  EXPECT_NEAR(static_cast<double>(weights.bytes() - weights.embedding_bytes()) / kMiB, 3577.55, 0.01);
}

TEST(GgufMix, MoreBitsGoToTheFirstAndLastEighthAndEveryThirdLayerBetween) {
  const GgufWeights weights = gguf_weights(llama_3_8b_shape(), *gguf_mix("Q4_K_M"));
  // 32 layers: 0 … 3, 28 … 31, and 6, 9, 12 … 27 (i − 4 = 2 modulo 3).
  for (const int layer : {0, 3, 6, 27, 28, 31})
    EXPECT_EQ(tensor(weights, "ffn_down", layer).type->name, "Q6_K") << layer;
  for (const int layer : {4, 5, 7, 26}) EXPECT_EQ(tensor(weights, "ffn_down", layer).type->name, "Q4_K") << layer;
  EXPECT_EQ(tensor(weights, "attn_v", 6).type->name, "Q6_K");
  EXPECT_EQ(tensor(weights, "attn_q", 6).type->name, "Q4_K");
}

TEST(GgufMix, ValuesOfA70BGetMoreBits) {
  const GgufWeights weights = gguf_weights(dense_shape(80, 8192, 64, 8, 28672, 32000), *gguf_mix("Q4_K_M"));
  EXPECT_EQ(tensor(weights, "attn_v", 12).type->name, "Q6_K");  // 12 − 10 = 2: as in smaller models
  EXPECT_EQ(tensor(weights, "attn_v", 13).type->name, "Q5_K");
}

TEST(GgufMix, RowsThatBlocksOf256DoNotDivideFallBack) {
  const GgufWeights weights = gguf_weights(dense_shape(8, 896, 14, 2, 4864, 151936), *gguf_mix("Q4_K_M"));
  EXPECT_EQ(tensor(weights, "attn_q", 4).type->name, "Q5_0");  // 896 = 3.5 · 256 = 28 · 32
  EXPECT_EQ(tensor(weights, "output", -1).type->name, "Q8_0");
  EXPECT_EQ(tensor(weights, "ffn_down", 3).type->name,
            "Q6_K");  // 4864 = 19 · 256; of 8 layers the third behind the first eighth
}

TEST(GgufMix, SharedTablesGetTheTypeOfTheHead) {
  GgufShape shape = dense_shape(8, 1024, 8, 8, 2048, 1000);
  shape.tied_embeddings = true;
  EXPECT_EQ(tensor(gguf_weights(shape, *gguf_mix("Q4_0")), "token_embd", -1).type->name, "Q6_K");
}

TEST(GgufMix, ExpertsInTypesOfTheForkFollowPublishersConvention) {
  const GgufWeights weights = gguf_weights(deepseek_v3_shape(), *gguf_mix("IQ4_K_R4 - 4.5 bpw"), LatentMatrices::kBoth);
  EXPECT_EQ(weights.origin, MixOrigin::kConvention);
  EXPECT_EQ(tensor(weights, "ffn_up_exps", 10).type->name, "IQ4_K_R4");
  EXPECT_EQ(tensor(weights, "ffn_down_exps", 10).type->name, "IQ5_K");
  EXPECT_EQ(tensor(weights, "attn_q_b", 10).type->name, "Q8_0");
  EXPECT_EQ(tensor(weights, "ffn_gate_inp", 10).type->name, "F32");
}

TEST(GgufMix, BytesOfPartsAddUp) {
  const GgufWeights weights = gguf_weights(llama_3_8b_shape(), *gguf_mix("Q5_K_M"));
  std::int64_t sum = weights.embedding_bytes() + weights.head_bytes();
  for (int layer = 0; layer < 32; ++layer) sum += weights.layer_bytes(layer);
  EXPECT_EQ(sum, weights.bytes());
}

}  // namespace
}  // namespace dachlast
