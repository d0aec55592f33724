#include "core/model/rope.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

// Expected values come from a separate program that follows the published formulas pair by pair.
constexpr double kRelative = 1e-12;  // a few roundings of double

void expect_near(double actual, double expected) {
  EXPECT_NEAR(actual / expected, 1.0, kRelative) << expected;
}

RopeSpec rope_of(const std::string& preset) {
  return *attention_of(resolve_model(preset).spec.layers[0]).rope;
}

TEST(Rope, UnscaledFrequenciesFallFromOneToNearlyOneOverTheta) {
  const auto f = rope_inverse_frequencies({.theta = 10000, .rotary_dim = 8, .scaling = {}}, 100);
  ASSERT_EQ(f.size(), 4u);
  expect_near(f[0], 1.0);
  expect_near(f[1], 0.1);  // 10000^(-2/8)
  expect_near(f[2], 0.01);
  expect_near(f[3], 0.001);
}

TEST(Rope, LinearDividesEveryFrequency) {
  const auto f = rope_inverse_frequencies({.theta = 10000, .rotary_dim = 4, .scaling = LinearRopeScaling{8}}, 100);
  expect_near(f[0], 1.0 / 8);
  expect_near(f[1], 0.01 / 8);
}

TEST(Rope, Llama3KeepsFastPairsAndDividesSlowOnes) {
  // Llama 3.2 1B: theta 500,000, 64 dimensions, factor 32, turns between 1 and 4 within 8192 tokens blend.
  const auto f = rope_inverse_frequencies(rope_of("llama-3.2-1b"), 131072);
  ASSERT_EQ(f.size(), 32u);
  expect_near(f[1], 0.6636012376960885);
  expect_near(f[14], 0.0032114459947525913);       // one turn in 1956 tokens, below 8192/4: kept
  expect_near(f[15], 0.0012905479282092648);       // one turn in 2948 tokens: blended
  expect_near(f[17], 9.708287802627695e-05);       // one turn in 6695 tokens: blended
  expect_near(f[18], 0.0006227724219145962 / 32);  // one turn in 10089 tokens, above 8192: divided
  expect_near(f[31], 3.0138581521391725e-06 / 32);
  EXPECT_EQ(rope_attention_factor(rope_of("llama-3.2-1b")), 1.0);
}

TEST(Rope, YarnRampsBetweenTheTwoTurnCounts) {
  // Qwen 2.5 beyond 32768 tokens: theta 1e6, 128 dimensions, factor 4. The pairs that turn 32 times and once lie at
  // 23.6 and 39.7, so the ramp runs from pair 23 to pair 40.
  const YarnRopeScaling yarn{
      .factor = 4, .beta_fast = 32, .beta_slow = 1, .attention_factor = 1.138, .original_context = 32768};
  const RopeSpec rope{.theta = 1e6, .rotary_dim = 128, .scaling = yarn};
  const auto f = rope_inverse_frequencies(rope, 131072);
  ASSERT_EQ(f.size(), 64u);
  expect_near(f[0], 1.0);
  expect_near(f[23], 0.006978305848598664);
  expect_near(f[24], 0.005375321490790103);
  expect_near(f[30], 0.001064360981247002);
  expect_near(f[39], 6.490394320837025e-05);
  expect_near(f[40], 0.00017782794100389232 / 4);
  expect_near(f[63], 1.240937760751719e-06 / 4);
  EXPECT_EQ(rope_attention_factor(rope), 1.138);
}

TEST(Rope, YarnOfATinyOriginalContextStaysFinite) {
  const YarnRopeScaling yarn{
      .factor = 4, .beta_fast = 32, .beta_slow = 1, .attention_factor = 1, .original_context = 2};
  for (const double f : rope_inverse_frequencies({.theta = 1e4, .rotary_dim = 8, .scaling = yarn}, 8)) {
    EXPECT_TRUE(std::isfinite(f));
    EXPECT_GT(f, 0.0);
  }
}

TEST(Rope, LongRopeChangesItsDivisorsBeyondTheOriginalContext) {
  // Phi-3.5 mini: theta 10,000, 96 dimensions, original context 4096.
  const RopeSpec rope = rope_of("phi-3.5-mini");
  const auto shorter = rope_inverse_frequencies(rope, 4096);
  const auto longer = rope_inverse_frequencies(rope, 4097);
  ASSERT_EQ(shorter.size(), 48u);
  expect_near(shorter[20], 0.011645594269833658);  // 10000^(-40/96) / 1.8499997854232788
  expect_near(longer[20], 0.0006610722392653191);  // 10000^(-40/96) / 32.590003967285156
  expect_near(longer[0], 0.9259258891329368);
  expect_near(longer[47], 1.868488166339712e-06);
  EXPECT_DOUBLE_EQ(rope_attention_factor(rope), std::sqrt(17.0 / 12.0));  // sqrt(1 + ln 32 / ln 4096)
}

}  // namespace
}  // namespace dachlast
