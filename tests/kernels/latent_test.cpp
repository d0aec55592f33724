#include "kernels/latent.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/kernels/test_data.h"

namespace dachlast::kernels {
namespace {

using testing::cut;
using testing::first_difference;
using testing::for_each_build;
using testing::Guarded;
using testing::kEpsilon;
using testing::number;
using testing::skewed;

/// Nothing a multiple of a vector register; one as DeepSeek V2 Lite has it, with fewer heads.
constexpr LatentHeads kSizes[] = {{3, 10, 6, 7, 19}, {2, 5, 2, 1, 33}, {1, 1, 4, 9, 1}, {2, 128, 64, 128, 512}};

std::size_t count(int a, int b, int c) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c);
}

template <class T>
Guarded<T> weights_for(const LatentHeads& s) {
  return skewed<T>(count(s.n_heads, s.key_dim + s.value_dim, s.latent_dim), 5);
}

/// Of sums over `n` products of factors up to 2, one added to the other: each of n sums, n · 4 at most, is rounded; errors of
/// both signs grow with the root of their number.
double tolerance(int n) {
  return kEpsilon * 4.0 * n * std::sqrt(n);
}

template <class T>
void expect_absorbs(const Variant<AbsorbQueries>& variant, const LatentHeads& s, int n_tokens) {
  const auto w = weights_for<T>(s);
  const auto q = skewed<float>(count(n_tokens, s.n_heads, s.query_dim()), 6);
  Guarded<float> out(count(n_tokens, s.n_heads, s.row_dim()));
  variant.run(s, n_tokens, q.span(), WeightSpan(w.span()), out.span(), {0, s.n_heads});
  EXPECT_TRUE(out.guards_intact());
  for (int t = 0; t < n_tokens; ++t)
    for (int h = 0; h < s.n_heads; ++h)
      for (int l = 0; l < s.row_dim(); ++l) {
        const std::size_t row = static_cast<std::size_t>(t * s.n_heads + h);
        const auto query = [&](int j) { return number(q[row * std::size_t(s.query_dim()) + std::size_t(j)]); };
        double expected = l < s.latent_dim ? 0.0 : query(s.key_dim + l - s.latent_dim);
        if (l < s.latent_dim)
          for (int j = 0; j < s.key_dim; ++j)
            expected +=
                query(j) * number(w[count(h * (s.key_dim + s.value_dim) + j, s.latent_dim, 1) + std::size_t(l)]);
        ASSERT_NEAR(out[row * std::size_t(s.row_dim()) + std::size_t(l)], expected, tolerance(s.key_dim))
            << variant.name << ", token " << t << ", head " << h << ", element " << l;
      }
}

template <class T>
void expect_raises(const Variant<RaiseValues>& variant, const LatentHeads& s, int n_tokens) {
  const auto w = weights_for<T>(s);
  const auto x = skewed<float>(count(n_tokens, s.n_heads, s.latent_dim), 7);
  Guarded<float> out(count(n_tokens, s.n_heads, s.value_dim));
  variant.run(s, n_tokens, x.span(), WeightSpan(w.span()), out.span(), {0, s.n_heads});
  EXPECT_TRUE(out.guards_intact());
  for (int t = 0; t < n_tokens; ++t)
    for (int h = 0; h < s.n_heads; ++h)
      for (int i = 0; i < s.value_dim; ++i) {
        const std::size_t row = static_cast<std::size_t>(t * s.n_heads + h);
        double expected = 0.0;
        for (int l = 0; l < s.latent_dim; ++l)
          expected += number(x[row * std::size_t(s.latent_dim) + std::size_t(l)]) *
                      number(w[count(h * (s.key_dim + s.value_dim) + s.key_dim + i, s.latent_dim, 1) + std::size_t(l)]);
        ASSERT_NEAR(out[row * std::size_t(s.value_dim) + std::size_t(i)], expected, tolerance(s.latent_dim))
            << variant.name << ", token " << t << ", head " << h << ", element " << i;
      }
}

TEST(AbsorbQueries, MultipliesByTheTransposeAndKeepsTheRotatedPart) {
  for_each_build(absorb_queries_variants(), [](const Variant<AbsorbQueries>& variant) {
    for (const LatentHeads& s : kSizes)
      for (const int n_tokens : {1, 4, 7}) {
        expect_absorbs<float>(variant, s, n_tokens);
        expect_absorbs<BF16>(variant, s, n_tokens);
      }
  });
}

TEST(RaiseValues, MultipliesSumsOfLatents) {
  for_each_build(raise_values_variants(), [](const Variant<RaiseValues>& variant) {
    for (const LatentHeads& s : kSizes)
      for (const int n_tokens : {1, 4, 7}) {
        expect_raises<float>(variant, s, n_tokens);
        expect_raises<BF16>(variant, s, n_tokens);
      }
  });
}

/// A token's result must not depend on who else is in the step, nor on threads.
TEST(AbsorbQueries, GivesTheSameBitsAloneAndAmongOthersAndForAnySlicing) {
  const LatentHeads s = kSizes[0];
  constexpr int kTokens = 6;
  const auto w = weights_for<BF16>(s);
  const auto q = skewed<float>(count(kTokens, s.n_heads, s.query_dim()), 6);
  const std::size_t width = count(s.n_heads, s.row_dim(), 1), query = count(s.n_heads, s.query_dim(), 1);
  for_each_build(absorb_queries_variants(), [&](const Variant<AbsorbQueries>& variant) {
    Guarded<float> whole(kTokens * width), alone(kTokens * width), sliced(kTokens * width);
    variant.run(s, kTokens, q.span(), WeightSpan(w.span()), whole.span(), {0, s.n_heads});
    for (std::size_t t = 0; t < kTokens; ++t)
      variant.run(s, 1, q.span().subspan(t * query), WeightSpan(w.span()), alone.span().subspan(t * width),
                  {0, s.n_heads});
    for (const Slice slice : cut(s.n_heads, 2))
      variant.run(s, kTokens, q.span(), WeightSpan(w.span()), sliced.span(), slice);
    EXPECT_EQ(first_difference(whole, alone), -1) << variant.name;
    EXPECT_EQ(first_difference(whole, sliced), -1) << variant.name;
  });
}

TEST(HeadLinearCost, CountsEveryHeadsMatrixOnce) {
  const HeadLinearShape s{.n_tokens = 2, .n_heads = 3, .n = 19, .k = 10, .weight_dtype = DType::kBF16, .n_copied = 6};
  const OpCost cost = head_linear_cost(s);
  EXPECT_EQ(cost.flops.value, 2.0 * 2 * 3 * 19 * 10);
  EXPECT_EQ(cost.weight_bytes.value, 3.0 * 19 * 10 * 2);
  EXPECT_EQ(cost.activation_bytes.value, 2.0 * 3 * (19 + 6 + 10 + 6) * 4);  // read: 10 and 6; written: 19 and 6
}

}  // namespace
}  // namespace dachlast::kernels
