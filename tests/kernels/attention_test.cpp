#include "kernels/attention.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/kernels/test_data.h"

namespace dachlast::kernels {
namespace {

using testing::Guarded;
using testing::kEpsilon;
using testing::kNan;
using testing::number;
using testing::skewed;

template <class T>
constexpr DType kCacheType = std::is_same_v<T, float> ? DType::kF32 : DType::kBF16;

/// Rows of q are further apart than the heads need, as in a buffer that holds k and v too; the rest of a row is NaN.
constexpr int kGap = 7;

/// Rows of the cache beyond the sequence; NaN.
constexpr int kSpareRows = 3;

/// First key that any query of the step may see.
int first_visible(const AttentionShape& s) {
  return s.window > 0 ? std::max(0, s.kv_len - s.q_len + 1 - s.window) : 0;
}

/// One call and its inputs. Whatever no query may see is NaN: the cache beyond kv_len and before all windows.
template <class T>
struct Problem {
  AttentionShape shape;
  ScoreRule rule;
  Guarded<float> q;
  Guarded<T> k;
  Guarded<T> v;

  explicit Problem(AttentionShape s, float softcap = 0.0f)
      : shape(s),
        rule{1.0f / std::sqrt(static_cast<float>(s.head_dim)), softcap},
        q(skewed<float>(std::size_t(s.batch_size) * s.q_len * q_stride(), 1)),
        k(skewed<T>(cache_size(), 2)),
        v(skewed<T>(cache_size(), 3)) {
    for (std::size_t i = 0; i < q.size(); ++i)
      if (static_cast<int>(i % q_stride()) >= s.n_heads * s.head_dim) q[i] = kNan;
    for (std::size_t i = 0; i < k.size(); ++i) {
      const int position = static_cast<int>(i / s.head_dim % capacity());
      if (position < s.kv_len && position >= first_visible(s)) continue;
      k[i] = v[i] = testing::element<T>(kNan);
    }
  }

  int q_stride() const { return shape.n_heads * shape.head_dim + kGap; }
  int capacity() const { return shape.kv_len + kSpareRows; }
  std::size_t cache_size() const {
    return std::size_t(shape.batch_size) * shape.n_kv_heads * capacity() * shape.head_dim;
  }

  std::string name(const AttentionVariant& variant) const {
    const AttentionShape& s = shape;
    return fmt::format("{}, {} cache, batch {}, q_len {}, kv_len {}, heads {}/{}, head_dim {}, window {}, softcap {}",
                       variant.name, name_of(s.kv_dtype), s.batch_size, s.q_len, s.kv_len, s.n_heads, s.n_kv_heads,
                       s.head_dim, s.window, rule.softcap);
  }

  Guarded<float> run(const AttentionVariant& variant, const std::vector<Slice>& slices) const {
    Guarded<float> out(std::size_t(shape.batch_size) * shape.q_len * shape.n_heads * shape.head_dim);
    Guarded<float> scratch(variant.scratch_floats(shape));
    const KvView cache{k.span(), v.span(), capacity()};
    for (const Slice slice : slices)
      variant.run(shape, rule, q.span(), q_stride(), cache, out.span(), scratch.span(), slice);
    EXPECT_TRUE(scratch.guards_intact()) << name(variant);
    return out;
  }
};

/// What one head should produce for one query, and how far float may be from it.
struct Expected {
  std::vector<double> out;
  double tolerance;
};

template <class T>
Expected expected(const Problem<T>& p, int sequence, int query, int head) {
  const AttentionShape& s = p.shape;
  const int group = head / (s.n_heads / s.n_kv_heads), position = s.kv_len - s.q_len + query;
  const int begin = s.window > 0 ? std::max(0, position + 1 - s.window) : 0;
  const float* q = &p.q[(std::size_t(sequence) * s.q_len + query) * p.q_stride() + std::size_t(head) * s.head_dim];
  const std::size_t rows = (std::size_t(sequence) * s.n_kv_heads + group) * p.capacity();
  std::vector<double> scores;
  double magnitude = 0.0, largest_value = 0.0, sum = 0.0;
  for (int j = begin; j <= position; ++j) {
    double score = 0.0, terms = 0.0;
    for (int l = 0; l < s.head_dim; ++l) {
      const double term = q[l] * number(p.k[(rows + j) * s.head_dim + l]) * p.rule.scale;
      score += term;
      terms += std::abs(term);
      largest_value = std::max(largest_value, std::abs(number(p.v[(rows + j) * s.head_dim + l])));
    }
    scores.push_back(p.rule.softcap > 0.0f ? p.rule.softcap * std::tanh(score / p.rule.softcap) : score);
    magnitude = std::max(magnitude, terms);
  }
  const double largest = *std::max_element(scores.begin(), scores.end());
  Expected e{std::vector<double>(s.head_dim), 0.0};
  for (int j = begin; j <= position; ++j) {
    const double weight = std::exp(scores[j - begin] - largest);
    sum += weight;
    for (int l = 0; l < s.head_dim; ++l) e.out[l] += weight * number(p.v[(rows + j) * s.head_dim + l]);
  }
  for (double& value : e.out) value /= sum;
  // A score is off by about sqrt(head_dim) roundings of its terms; twice that, relative, is what a weight is off by.
  // The weights' own exponential and the two sums add a few epsilon, which grow with the root of their length.
  const double score_error = (4.0 + std::sqrt(s.head_dim)) * kEpsilon * magnitude;
  e.tolerance = (2.0 * score_error + (8.0 + std::sqrt(scores.size())) * kEpsilon) * largest_value;
  return e;
}

/// What every head should produce for every query, in the order of `out`.
template <class T>
std::vector<Expected> all_expected(const Problem<T>& p) {
  std::vector<Expected> answers;
  for (int b = 0; b < p.shape.batch_size; ++b)
    for (int i = 0; i < p.shape.q_len; ++i)
      for (int h = 0; h < p.shape.n_heads; ++h) answers.push_back(expected(p, b, i, h));
  return answers;
}

template <class T>
void expect_all_right(const Problem<T>& p) {
  const std::vector<Expected> answers = all_expected(p);
  const std::size_t head_dim = p.shape.head_dim;
  testing::for_each_build(attention_variants(), [&](const AttentionVariant& variant) {
    const Guarded<float> out = p.run(variant, {{0, attention_units(p.shape)}});
    EXPECT_TRUE(out.guards_intact()) << p.name(variant);
    for (std::size_t i = 0; i < out.size(); ++i)
      ASSERT_NEAR(out[i], answers[i / head_dim].out[i % head_dim], answers[i / head_dim].tolerance)
          << p.name(variant) << "; token and head " << i / head_dim << ", element " << i % head_dim;
  });
}

template <class T>
class AttentionOf : public ::testing::Test {
 protected:
  /// One sequence, one KV head a query head, no window.
  static AttentionShape simple(int q_len, int kv_len, int head_dim) {
    return {1, q_len, kv_len, 2, 2, head_dim, 0, kCacheType<T>};
  }
};
using CacheTypes = ::testing::Types<float, BF16>;
TYPED_TEST_SUITE(AttentionOf, CacheTypes);

TYPED_TEST(AttentionOf, AnyHeadDim) {
  for (const int head_dim : {1, 3, 7, 8, 9, 15, 16, 17, 24, 32, 33, 40, 64, 72, 80, 96, 100, 128, 144, 192, 255, 256}) {
    expect_all_right(Problem<TypeParam>(this->simple(1, 70, head_dim)));
    expect_all_right(Problem<TypeParam>(this->simple(40, 70, head_dim)));
  }
}

TYPED_TEST(AttentionOf, LengthsAroundEveryTile) {
  // Query tiles of 32, key tiles of 96 and 1,024, score steps of 2, 4 and 8 keys, few rows up to 16.
  for (const int q_len : {1, 2, 15, 16, 17, 31, 32, 33, 65})
    for (const int past : {0, 1, 3, 30, 63, 95, 96, 190})
      expect_all_right(Problem<TypeParam>(this->simple(q_len, past + q_len, 16)));
  for (const int q_len : {1, 8, 9})
    for (const int past : {1022, 1023, 1024, 2100})
      expect_all_right(Problem<TypeParam>(this->simple(q_len, past + q_len, 16)));
}

TYPED_TEST(AttentionOf, EveryGroupSize) {
  for (const int group : {1, 2, 3, 4, 5, 6, 7, 8})
    for (const int n_kv_heads : {1, 3})
      for (const int q_len : {1, 3, 34}) {
        AttentionShape shape = this->simple(q_len, q_len + 45, 20);
        shape.n_heads = group * n_kv_heads;
        shape.n_kv_heads = n_kv_heads;
        shape.batch_size = 2;
        expect_all_right(Problem<TypeParam>(shape));
      }
}

TYPED_TEST(AttentionOf, ManyHeadsOnOneKvHead) {
  AttentionShape shape = this->simple(1, 130, 64);
  shape.n_heads = 71;  // Falcon 7B
  shape.n_kv_heads = 1;
  expect_all_right(Problem<TypeParam>(shape));
}

TYPED_TEST(AttentionOf, WindowsHideOldKeys) {
  for (const int window : {1, 2, 31, 33, 96, 97, 500})
    for (const int q_len : {1, 20, 70})
      for (const int past : {0, 40, 270}) {
        AttentionShape shape = this->simple(q_len, past + q_len, 24);
        shape.window = window;
        shape.n_heads = 4;
        expect_all_right(Problem<TypeParam>(shape));
      }
}

TYPED_TEST(AttentionOf, SoftcapBendsScores) {
  for (const int q_len : {1, 20, 40})
    for (const int window : {0, 50}) {
      AttentionShape shape = this->simple(q_len, q_len + 90, 64);
      shape.window = window;
      expect_all_right(Problem<TypeParam>(shape, 2.0f));  // scores reach 8 here: far into the bend
      expect_all_right(Problem<TypeParam>(shape, 50.0f));
    }
}

TYPED_TEST(AttentionOf, SlicesDoNotChangeAnyBit) {
  for (const int q_len : {1, 5, 100})
    for (const int window : {0, 40}) {
      const Problem<TypeParam> problem({2, q_len, q_len + 30, 6, 3, 40, window, kCacheType<TypeParam>}, 10.0f);
      const int n_units = attention_units(problem.shape);
      testing::for_each_build(attention_variants(), [&](const AttentionVariant& variant) {
        const Guarded<float> whole = problem.run(variant, {{0, n_units}});
        for (const int pieces : {2, 5, n_units, n_units + 3})
          EXPECT_EQ(testing::first_difference(whole, problem.run(variant, testing::cut(n_units, pieces))), -1)
              << problem.name(variant) << ", " << pieces << " slices";
      });
    }
}

TYPED_TEST(AttentionOf, LargeScoresNeitherOverflowNorVanish) {
  // Scores up to ±500: exp(500) is no float, differences from the largest are.
  for (const int q_len : {1, 40}) {
    Problem<TypeParam> problem(this->simple(q_len, q_len + 100, 32));
    problem.rule.scale = 25.0f;
    expect_all_right(problem);
  }
}

TEST(AttentionUnits, CountsQueryTilesOfEveryKvHead) {
  // 3 sequences · 4 KV heads · ceil(70 / 32) = 3 tiles.
  EXPECT_EQ(attention_units({3, 70, 200, 16, 4, 64, 0, DType::kF32}), 36);
  EXPECT_EQ(attention_units({3, 1, 200, 16, 4, 64, 0, DType::kF32}), 12);
}

TEST(AttentionVariants, TiledNeedsNoMoreScratchForLongerContexts) {
  for (const AttentionVariant& variant : attention_variants()) {
    const AttentionShape brief{1, 512, 512, 8, 2, 64, 0, DType::kF32},
        lengthy{1, 512, 100'000, 8, 2, 64, 0, DType::kF32};
    if (variant.name == "tiled") {
      EXPECT_EQ(variant.scratch_floats(brief), variant.scratch_floats(lengthy));
    }
    if (variant.name == "naive") {
      EXPECT_GE(variant.scratch_floats(lengthy), 512u * 100'000u);
    }
  }
}

TEST(AttentionVariants, OrderAndNames) {
  ASSERT_EQ(attention_variants().size(), 3u);
  EXPECT_EQ(attention_variant_for().name, "tiled");
  EXPECT_EQ(attention_variant_for("naive").name, "naive");
  EXPECT_EQ(attention_variants().back().name, "reference");
}

}  // namespace
}  // namespace dachlast::kernels
