#include "kernels/cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/attention.h"
#include "kernels/elementwise.h"
#include "kernels/linear.h"

namespace dachlast::kernels {
namespace {

/// The (query, key) pairs and cache rows of one sequence, counted one by one.
struct Counted {
  double pairs = 0.0;
  double rows = 0.0;
};

Counted count(const AttentionShape& s) {
  Counted counted;
  std::vector<bool> seen(s.kv_len, false);
  for (int i = 0; i < s.q_len; ++i)
    for (int key = 0; key < s.kv_len; ++key) {
      const int position = s.kv_len - s.q_len + i;
      if (key > position || (s.window > 0 && key <= position - s.window)) continue;
      counted.pairs += 1.0;
      seen[key] = true;
    }
  counted.rows = static_cast<double>(std::count(seen.begin(), seen.end(), true));
  return counted;
}

TEST(AttentionCost, CountsEveryPairThatCausalityAndWindowLeave) {
  for (const int q_len : {1, 2, 3, 7, 8, 20})
    for (const int past : {0, 1, 5, 19})
      for (const int window : {0, 1, 2, 6, 8, 20, 25, 100}) {
        const AttentionShape s{3, q_len, past + q_len, 8, 2, 16, window, {KvFormat::kBF16}};
        const Counted counted = count(s);
        const OpCost cost = attention_cost(s);
        // 2 · head_dim for q·k and as many for p·v; 8 heads, 3 sequences.
        EXPECT_EQ(cost.flops.value, 4.0 * 16 * 8 * 3 * counted.pairs) << q_len << " " << past << " " << window;
        // k and v, 2 bytes an element, 2 KV heads, 3 sequences.
        EXPECT_EQ(cost.kv_read_bytes.value, 2.0 * 2 * 16 * 2 * 3 * counted.rows)
            << q_len << " " << past << " " << window;
      }
}

TEST(AttentionCost, DecodeStepOfLlama32With1BParameters) {
  // 32 heads on 8, head_dim 64, 1,000 tokens in a bf16 cache: 4·32·64·1000 FLOP; 2·8·64·1000·2 bytes; q and out
  // 2·32·64·4.
  const OpCost cost = attention_cost({1, 1, 1000, 32, 8, 64, 0, {KvFormat::kBF16}});
  EXPECT_EQ(cost.flops.value, 8'192'000.0);
  EXPECT_EQ(cost.kv_read_bytes.value, 2'048'000.0);
  EXPECT_EQ(cost.activation_bytes.value, 16'384.0);
  EXPECT_EQ(cost.weight_bytes.value + cost.kv_write_bytes.value, 0.0);
}

TEST(AttentionCost, SinksAreSeenBesideTheWindow) {
  for (const int q_len : {1, 3, 9})
    for (const int past : {0, 2, 5, 30})
      for (const int sinks : {1, 4}) {
        AttentionShape s{1, q_len, past + q_len, 1, 1, 1, 6, {KvFormat::kF32}};
        s.n_sink_tokens = sinks;
        double pairs = 0.0;
        std::set<int> rows;
        for (int p = past; p < past + q_len; ++p)
          for (int k = 0; k <= p; ++k)
            if (k > p - 6 || k < sinks) {
              ++pairs;
              rows.insert(k);
            }
        EXPECT_EQ(attention_cost(s).flops.value, 4.0 * pairs) << q_len << " " << past << " " << sinks;
        EXPECT_EQ(attention_cost(s).kv_read_bytes.value, 2.0 * 4 * static_cast<double>(rows.size()))
            << q_len << " " << past << " " << sinks;
      }
}

TEST(AttentionCost, ReadsTheBytesOfTheFormatItsScalesAndTables) {
  // One query over 100 tokens, 2 KV heads of 64, K and V.
  const auto read = [](KvStorage kv) { return attention_cost({1, 1, 100, 4, 2, 64, 0, kv}).kv_read_bytes.value; };
  EXPECT_EQ(read({KvFormat::kF16}), 2.0 * 2 * 100 * 128);
  EXPECT_EQ(read({KvFormat::kInt8}), 2.0 * 2 * 100 * (64 + 4));
  EXPECT_EQ(read({KvFormat::kInt4}), 2.0 * 2 * 100 * (32 + 2 * 4));  // two groups of 32
  // Blocks of 16: 7 of them, an entry of 4 B each.
  EXPECT_EQ(read({KvFormat::kInt8, KeyScales::kPerToken, 16}), 2.0 * 2 * 100 * (64 + 4) + 7 * 4);
  // Keys along channels: 64 scales a block and head instead of 16.
  EXPECT_EQ(read({KvFormat::kInt8, KeyScales::kPerChannel, 16}), 2 * 100 * (64 + 64 / 16.0 * 4 + 64 + 4) + 7 * 4);
}

TEST(AttentionCost, SumsOverSequencesThatDiffer) {
  const SequenceLengths lengths[] = {{1, 100}, {7, 7}, {3, 50}};
  AttentionShape all{3, 7, 100, 4, 2, 64, 20, {KvFormat::kBF16}};
  all.sequences = lengths;
  OpCost sum;
  for (const auto& [q_len, kv_len] : lengths)
    sum += attention_cost({1, q_len, kv_len, 4, 2, 64, 20, {KvFormat::kBF16}});
  EXPECT_EQ(attention_cost(all), sum);
}

TEST(AttentionCost, LongContextsDoNotOverflow) {
  // 131,072² / 2 + 131,072 / 2 pairs are 8.6e9, beyond 32 bits.
  const OpCost cost = attention_cost({1, 131'072, 131'072, 1, 1, 1, 0, {KvFormat::kF32}});
  EXPECT_EQ(cost.flops.value, 4.0 * (131'072.0 * 131'073.0 / 2.0));
}

TEST(LinearCost, ProductsWeightsAndActivations) {
  // 2·3·5·7 FLOP; 5·7 weights of 2 bytes; 3·7 floats in, 3·5 out.
  const OpCost cost = linear_cost({3, 5, 7, DType::kBF16});
  EXPECT_EQ(cost.flops.value, 210.0);
  EXPECT_EQ(cost.weight_bytes.value, 70.0);
  EXPECT_EQ(cost.activation_bytes.value, 144.0);
  EXPECT_EQ(linear_cost({3, 5, 7, DType::kF32}).weight_bytes.value, 140.0);
}

TEST(LinearCost, GrowsPast32Bits) {
  // 2 · 4,096 · 128,256 · 8,192 FLOP: the head of a 70B model over 4,096 tokens.
  EXPECT_EQ(linear_cost({4096, 128'256, 8192, DType::kBF16}).flops.value, 2.0 * 4096 * 128'256 * 8192);
}

TEST(EmbedCost, RowsOfTheTokensOnly) {
  // 4 tokens, 10 wide, 2 tables of bf16: 4·10·2 elements of 2 bytes; 4·10 floats out, 4 ids and 4 positions of 4 bytes.
  const OpCost cost = embed_cost({4, 10, DType::kBF16, 2});
  EXPECT_EQ(cost.flops.value, 80.0);
  EXPECT_EQ(cost.weight_bytes.value, 160.0);
  EXPECT_EQ(cost.activation_bytes.value, 192.0);
}

TEST(NormCost, OperationsOfEachKind) {
  // 3 rows of 10. RMS: square, add, two products. Layer: sum; subtract; square, sum; two products, bias.
  EXPECT_EQ(norm_cost({3, 10, NormKind::kRms}).flops.value, 120.0);
  EXPECT_EQ(norm_cost({3, 10, NormKind::kLayer}).flops.value, 210.0);
  EXPECT_EQ(norm_cost({3, 10, NormKind::kRms}).weight_bytes.value, 40.0);
  EXPECT_EQ(norm_cost({3, 10, NormKind::kLayer}).weight_bytes.value, 80.0);
  EXPECT_EQ(norm_cost({3, 10, NormKind::kLayer}).activation_bytes.value, 240.0);
}

TEST(RopeCost, PairsOfTheRotatedPart) {
  // 2 tokens · 3 heads · 4 pairs · 6 FLOP; 2·3·8 floats read and written, 2·4 cos and 2·4 sin read.
  const OpCost cost = rope_cost({2, 3, 16, 8});
  EXPECT_EQ(cost.flops.value, 144.0);
  EXPECT_EQ(cost.activation_bytes.value, (96.0 + 16.0) * 4.0);
}

TEST(KvWriteCost, ReadsFloatsWritesTheCacheType) {
  // k and v of 5 tokens, 2 heads, 8 wide: 160 elements.
  const OpCost cost = kv_write_cost({5, 2, 8, {KvFormat::kBF16}});
  EXPECT_EQ(cost.kv_write_bytes.value, 320.0);
  EXPECT_EQ(cost.activation_bytes.value, 640.0);
  EXPECT_EQ(cost.flops.value, 0.0);
}

TEST(ActivationCost, GateReadsTwiceAsMuch) {
  // 3 tokens · 10: in (and up) and out.
  EXPECT_EQ(activation_cost({3, 10, Gate::kNone}).activation_bytes.value, 240.0);
  EXPECT_EQ(activation_cost({3, 10, Gate::kGated}).activation_bytes.value, 360.0);
  EXPECT_EQ(activation_cost({3, 10, Gate::kNone}).flops.value, 120.0);
  EXPECT_EQ(activation_cost({3, 10, Gate::kGated}).flops.value, 150.0);
}

TEST(ResidualCost, ReadsBothWritesOne) {
  EXPECT_EQ(residual_cost({3, 10}).activation_bytes.value, 360.0);
  EXPECT_EQ(residual_cost({3, 10}).flops.value, 30.0);
}

TEST(SampleCost, ReadsEveryLogit) {
  // 2 rows of 100 floats, 2 ids.
  EXPECT_EQ(sample_cost({2, 100}).activation_bytes.value, 808.0);
  EXPECT_EQ(sample_cost({2, 100}).flops.value, 200.0);
}

TEST(OpCost, DispatchesToTheOperationsOwnFunction) {
  EXPECT_EQ(op_cost(EmbedShape{4, 10, DType::kBF16, 2}), embed_cost({4, 10, DType::kBF16, 2}));
  EXPECT_EQ(op_cost(NormShape{3, 10, NormKind::kRms}), norm_cost({3, 10, NormKind::kRms}));
  EXPECT_EQ(op_cost(LinearShape{3, 5, 7, DType::kF32}), linear_cost({3, 5, 7, DType::kF32}));
  EXPECT_EQ(op_cost(RopeShape{2, 3, 16, 8}), rope_cost({2, 3, 16, 8}));
  EXPECT_EQ(op_cost(KvWriteShape{5, 2, 8, {KvFormat::kF32}}), kv_write_cost({5, 2, 8, {KvFormat::kF32}}));
  const AttentionShape attention{1, 5, 9, 4, 2, 8, 3, {KvFormat::kF32}};
  EXPECT_EQ(op_cost(attention), attention_cost(attention));
  EXPECT_EQ(op_cost(ActivationShape{3, 10, Gate::kGated}), activation_cost({3, 10, Gate::kGated}));
  EXPECT_EQ(op_cost(ResidualShape{3, 10}), residual_cost({3, 10}));
  EXPECT_EQ(op_cost(SampleShape{2, 100}), sample_cost({2, 100}));
}

}  // namespace
}  // namespace dachlast::kernels
