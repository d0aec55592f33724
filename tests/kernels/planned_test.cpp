#include "kernels/planned.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace dachlast::kernels {
namespace {

WideAttentionShape shape_of(int q_len, int kv_len) {
  return {.batch_size = 1,
          .q_len = q_len,
          .kv_len = kv_len,
          .n_heads = 2,
          .score_dim = 6,
          .value_dim = 4,
          .row_elements = 10,
          .window = 0,
          .chunk = 0,
          .top_k = 0,
          .kv = {.format = KvFormat::kBF16}};
}

/// Pairs counted one query after the other.
double counted_pairs(const WideAttentionShape& s) {
  double pairs = 0.0;
  for (int position = s.kv_len - s.q_len; position < s.kv_len; ++position) {
    int seen = position + 1;
    if (s.chunk > 0) seen = std::min(seen, position % s.chunk + 1);
    if (s.window > 0) seen = std::min(seen, s.window);
    if (s.top_k > 0) seen = std::min(seen, s.top_k);
    pairs += seen;
  }
  return pairs;
}

TEST(WideAttention, PairsAreThoseCountedOneByOne) {
  for (const int q_len : {1, 3, 8, 17})
    for (const int past : {0, 1, 7, 8, 20})
      for (const int limit : {0, 1, 5, 8, 100}) {
        WideAttentionShape s = shape_of(q_len, past + q_len);
        for (int WideAttentionShape::*kind :
             {&WideAttentionShape::window, &WideAttentionShape::chunk, &WideAttentionShape::top_k}) {
          s = shape_of(q_len, past + q_len);
          s.*kind = limit;
          EXPECT_EQ(visible_pairs(s), counted_pairs(s)) << q_len << " after " << past << ", limit " << limit;
        }
      }
}

TEST(WideAttention, CountsScoresAndValuesApart) {
  const OpCost cost = wide_attention_cost(shape_of(1, 5));
  EXPECT_EQ(cost.flops.value, 2 * 2 * (6 + 4) * 5);  // 2 FLOP · 2 heads · 10 wide · 5 tokens
  EXPECT_EQ(cost.kv_read_bytes.value, 5 * 10 * 2);   // 5 rows of 10 elements of 2 B, shared by the heads
}

TEST(WideAttention, AChoiceOfTokensReadsOnlyThem) {
  WideAttentionShape s = shape_of(1, 1000);
  s.top_k = 16;
  EXPECT_EQ(wide_attention_cost(s).kv_read_bytes.value, 16 * 10 * 2);
}

TEST(Scan, UpdatesEachElementOncePerToken) {
  const ScanShape s{.batch_size = 2,
                    .q_len = 3,
                    .n_heads = 4,
                    .rows = 8,
                    .columns = 16,
                    .rule = ScanRule::kDeltaRule,
                    .state_dtype = DType::kF32};
  const OpCost cost = scan_cost(s);
  EXPECT_EQ(cost.flops.value, 7 * 6 * 4 * 8 * 16);          // 6 tokens
  EXPECT_EQ(cost.kv_read_bytes.value, 2 * 4 * 8 * 16 * 4);  // the state of 2 sequences, once per step
  EXPECT_EQ(cost.kv_write_bytes, cost.kv_read_bytes);
}

TEST(Experts, OneTokenReadsItsOwnManyReadAll) {
  ExpertsShape s{.n_tokens = 1, .n_experts = 64, .n_active = 8, .n = 10, .k = 20, .weight_dtype = DType::kBF16};
  EXPECT_DOUBLE_EQ(distinct_experts(s), 8.0);
  EXPECT_EQ(experts_cost(s).flops.value, 2 * 8 * 10 * 20);
  EXPECT_DOUBLE_EQ(experts_cost(s).weight_bytes.value, 8 * 10 * 20 * 2);
  s.n_tokens = 2;
  EXPECT_DOUBLE_EQ(distinct_experts(s), 15.0);  // 64 · (1 − (7/8)²)
  s.n_tokens = 100000;
  EXPECT_DOUBLE_EQ(distinct_experts(s), 64.0);
}

TEST(Conv, ReadsTheTokensBeforeTheStep) {
  const OpCost cost = conv_cost({.batch_size = 1, .q_len = 2, .channels = 5, .kernel = 4});
  EXPECT_EQ(cost.flops.value, 2 * 4 * 2 * 5);
  EXPECT_EQ(cost.kv_read_bytes.value, 3 * 5 * 4);
}

}  // namespace
}  // namespace dachlast::kernels
