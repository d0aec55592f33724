#include "core/planner/kv_break_even.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/core/planner/planner_models.h"

namespace dachlast {
namespace {

/// 10 layers, chunks of 100 tokens in 1 ms a layer after 1 ms; a token costs 1 GFLOP and 1 MFLOP for each before it, at
/// 100 GFLOP/s.
KvReturn round_question() {
  return {.n_layers = 10,
          .chunk_tokens = 100,
          .chunk = Bytes{1e6},
          .tier = {.per_layer = Seconds{1e-3}, .per_chunk = Seconds{1e-3}},
          .per_token = Flops{1e9},
          .per_pair = Flops{1e6},
          .compute = FlopsPerSecond{1e11}};
}

TEST(KvBreakEven, TimesAreWhatTheFormulasSay) {
  const KvReturn q = round_question();
  EXPECT_DOUBLE_EQ(fetch_time(q, 100).value, 0.020);  // 10 · (1 ms + 1 · 1 ms)
  EXPECT_DOUBLE_EQ(fetch_time(q, 101).value, 0.030);  // two chunks
  // 100 · 1e9 + 1e6 · 100 · 101 / 2 = 1.0505e11 FLOP.
  EXPECT_DOUBLE_EQ(recompute_time(q, 100).value, 1.0505);
}

TEST(KvBreakEven, IsTheFirstLengthAtWhichFetchingIsFaster) {
  // A token takes 10.01 ms and more, one chunk 20 ms: two tokens take (2 · 1e9 + 3e6) / 1e11 = 20.03 ms.
  EXPECT_EQ(fetch_is_faster_at(round_question(), 1000), 2);
  KvReturn slow = round_question();
  slow.tier.per_chunk = Seconds{0.5};  // 10 · (1 ms + ⌈n/100⌉ · 0.5 s) = 5.01 s and 5 s more for every 100 tokens
  // 100 tokens take 1.05 s, and n tokens 10 ms · n + 5 µs · n²: 5 s a chunk are met where 10e-3 + 5e-6 n = 50e-3, n = 8,000.
  const int from = fetch_is_faster_at(slow, 20000).value();
  EXPECT_NEAR(from, 8000, 100);
  EXPECT_LT(fetch_time(slow, from), recompute_time(slow, from));
  EXPECT_GE(fetch_time(slow, from - 1), recompute_time(slow, from - 1));
  EXPECT_EQ(fetch_is_faster_at(slow, 5000), std::nullopt);
}

TEST(KvBreakEven, AtItsBandwidthBothTakeEquallyLong) {
  KvReturn q = round_question();
  q.tier = tier_rates(q.tier.per_layer, break_even_bandwidth(q, 300).value(), q.chunk);
  EXPECT_NEAR(fetch_time(q, 300) / recompute_time(q, 300), 1.0, 1e-12);
  q.tier.per_layer = Seconds{10.0};
  EXPECT_EQ(break_even_bandwidth(q, 300), std::nullopt) << "handing over takes longer than computing";
}

TEST(KvBreakEven, StepsHideWhatTheyCan) {
  const KvReturn q = round_question();
  // Fetching 20 ms behind 50 ms of computing: only the first of 10 layers waits, 2 ms.
  EXPECT_DOUBLE_EQ(fetching_step(q, Seconds{0.050}, 100).value, 0.052);
  EXPECT_DOUBLE_EQ(fetching_step(q, Seconds{0.005}, 100).value, 0.022);
  EXPECT_DOUBLE_EQ(recomputing_step(q, Seconds{0.050}, 100).value, 0.050 + 1.0505);
}

TEST(KvBreakEven, AModelStatesItsWork) {
  const KvReturn q = kv_return(round_model(), {DType::kBF16, {.format = KvFormat::kBF16}}, 256);
  EXPECT_EQ(q.n_layers, 4);
  EXPECT_DOUBLE_EQ(q.chunk.value, 256.0 * 2 * 4 * 16 * 2);  // K and V of 4 heads of 16 in 2 B
  // 49,152 elements a layer, a product and a sum each; the rest, norms and activations, is a hundredth of it.
  EXPECT_NEAR(q.per_token.value / (4 * 2 * 49152.0), 1.0, 0.02);
  EXPECT_DOUBLE_EQ(q.per_pair.value, 4.0 * 4 * 8 * 16);  // q·k and weights·v of 8 heads of 16 in 4 layers
  EXPECT_THROW(kv_return(round_model(), {}, 0), Error);
}

}  // namespace
}  // namespace dachlast
