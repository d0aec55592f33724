#include "kernels/linear.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/kernels/test_data.h"

namespace dachlast::kernels {
namespace {

using testing::Guarded;
using testing::kNan;
using testing::number;
using testing::skewed;

template <class T>
constexpr DType kWeightType = std::is_same_v<T, float> ? DType::kF32 : DType::kBF16;

struct Sizes {
  int m, n, k;
};

enum class Bias { kNone, kSome };

/// One product and what it should be.
template <class T>
struct Problem {
  LinearShape shape;
  Guarded<float> x;
  Guarded<T> w;
  Guarded<float> bias;

  Problem(int m, int n, int k, Bias with)
      : shape{m, n, k, kWeightType<T>},
        x(skewed<float>(std::size_t(m) * k, 1)),
        w(skewed<T>(std::size_t(n) * k, 2)),
        bias(skewed<float>(with == Bias::kSome ? n : 0, 3)) {}

  std::string name(const LinearVariant& variant) const {
    return fmt::format("{} ({} arithmetic), {} weights, m {}, n {}, k {}", variant.name, name_of(variant.arithmetic),
                       name_of(shape.weight_dtype), shape.m, shape.n, shape.k);
  }

  Guarded<float> run(const LinearVariant& variant, const std::vector<Slice>& slices) const {
    Guarded<float> y(std::size_t(shape.m) * shape.n);
    for (float& value : y.span()) value = kNan;
    for (const Slice slice : slices) variant.run(shape, x.span(), w.span(), bias.span(), y.span(), slice);
    return y;
  }
};

struct Expected {
  double value;
  double magnitude;  // Σ |x · w|, which rounding errors are proportional to
};

template <class T>
Expected expected(const Problem<T>& p, DType arithmetic, int i, int j) {
  Expected sum{p.bias.size() == 0 ? 0.0 : p.bias[j], 0.0};
  sum.magnitude = std::abs(sum.value);
  for (int l = 0; l < p.shape.k; ++l) {
    const float x = p.x[std::size_t(i) * p.shape.k + l];
    const double term =
        (arithmetic == DType::kBF16 ? to_float(to_bf16(x)) : x) * number(p.w[std::size_t(j) * p.shape.k + l]);
    sum.value += term;
    sum.magnitude += std::abs(term);
  }
  return sum;
}

/// The errors of k additions in float add up like a random walk: sqrt(k) · epsilon / 2 each of the magnitude; four
/// times that is far below one product of k, which a wrong kernel would miss.
double tolerance(const Expected& e, int k) {
  return 2.0 * std::sqrt(k + 4.0) * testing::kEpsilon * e.magnitude;
}

template <class T>
void expect_right(const Problem<T>& p, const LinearVariant& variant, const Guarded<float>& y) {
  EXPECT_TRUE(y.guards_intact()) << p.name(variant);
  for (int i = 0; i < p.shape.m; ++i)
    for (int j = 0; j < p.shape.n; ++j) {
      const Expected e = expected(p, variant.arithmetic, i, j);
      ASSERT_NEAR(y[std::size_t(i) * p.shape.n + j], e.value, tolerance(e, p.shape.k))
          << p.name(variant) << ", row " << i << ", column " << j;
    }
}

/// The library's variants may round differently when they are given another number of columns.
bool orders_sums_by_width(const LinearVariant& variant) {
  return variant.name.starts_with("onednn");
}

template <class Test>
void for_each_runnable(DType weights, const Test& test) {
  testing::for_each_build(linear_variants(), [&](const LinearVariant& variant) {
    if (variant.takes(weights)) test(variant);
  });
}

template <class T>
class LinearOf : public ::testing::Test {};
using WeightTypes = ::testing::Types<float, BF16>;
TYPED_TEST_SUITE(LinearOf, WeightTypes);

TYPED_TEST(LinearOf, EveryVariantMultipliesAnySize) {
  for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 40})
    for (const int n : {1, 2, 7, 16, 33})
      for (const int k : {1, 3, 8, 15, 16, 17, 31, 64, 127, 129, 260})
        for (const Bias bias : {Bias::kNone, Bias::kSome}) {
          const Problem<TypeParam> problem(m, n, k, bias);
          for_each_runnable(kWeightType<TypeParam>, [&](const LinearVariant& variant) {
            expect_right(problem, variant, problem.run(variant, {{0, n}}));
          });
        }
}

TYPED_TEST(LinearOf, EveryVariantCrossesItsInnerBorders) {
  // Pieces of 256 Ki elements hold 63 rows of 4101 (262,144 / 4,101 = 63.9): 97 rows need two.
  constexpr Sizes kSizes[] = {{1, 97, 4101}, {11, 97, 4101}, {97, 23, 4101}};
  for (const auto& [m, n, k] : kSizes) {
    const Problem<TypeParam> problem(m, n, k, Bias::kSome);
    for_each_runnable(kWeightType<TypeParam>, [&](const LinearVariant& variant) {
      expect_right(problem, variant, problem.run(variant, {{0, n}}));
    });
  }
}

template <class T>
void expect_same_for_any_slicing(const LinearVariant& variant, const Problem<T>& p) {
  const Guarded<float> whole = p.run(variant, {{0, p.shape.n}});
  for (const int pieces : {2, 3, 7, 64}) {
    const Guarded<float> sliced = p.run(variant, testing::cut(p.shape.n, pieces));
    if (orders_sums_by_width(variant)) {
      expect_right(p, variant, sliced);
    } else {
      EXPECT_EQ(testing::first_difference(whole, sliced), -1) << p.name(variant) << ", " << pieces << " slices";
    }
  }
}

TYPED_TEST(LinearOf, SlicesDoNotChangeTheResult) {
  constexpr Sizes kSizes[] = {{1, 67, 150}, {5, 67, 515}, {3, 1, 40}, {40, 130, 300}, {90, 210, 1100}};
  for (const auto& [m, n, k] : kSizes) {
    const Problem<TypeParam> problem(m, n, k, Bias::kSome);
    for_each_runnable(kWeightType<TypeParam>,
                      [&](const LinearVariant& variant) { expect_same_for_any_slicing(variant, problem); });
  }
}

TYPED_TEST(LinearOf, WritesItsColumnsOnly) {
  const Problem<TypeParam> problem(3, 40, 20, Bias::kSome);
  for_each_runnable(kWeightType<TypeParam>, [&](const LinearVariant& variant) {
    const Guarded<float> y = problem.run(variant, {{9, 21}, {30, 30}});
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 40; ++j)
        EXPECT_EQ(std::isnan(y[i * 40 + j]), j < 9 || j >= 21) << problem.name(variant) << ", column " << j;
  });
}

TEST(LinearVariants, ReferenceIsLastAndRunsAnywhere) {
  const LinearVariant& last = linear_variants().back();
  EXPECT_EQ(last.name, "reference");
  EXPECT_TRUE(last.supported());
}

TEST(LinearVariants, FewRowsGoToGemvAndManyToTheLibrary) {
  EXPECT_EQ(linear_variant_for({1, 64, 64, DType::kF32}).name, "gemv");
  EXPECT_EQ(linear_variant_for({1, 64, 64, DType::kBF16}).name, "gemv");
  EXPECT_EQ(linear_variant_for({512, 64, 64, DType::kF32}).name, "onednn");
  EXPECT_EQ(linear_variant_for({512, 64, 64, DType::kBF16}).name.substr(0, 6), "onednn");
}

TEST(LinearVariants, ANamedVariantIsTakenWhereItTakesTheWeights) {
  EXPECT_EQ(linear_variant_for({1, 64, 64, DType::kF32}, "onednn").arithmetic, DType::kF32);
  EXPECT_EQ(linear_variant_for({512, 64, 64, DType::kBF16}, "gemv").name, "gemv");
  EXPECT_EQ(linear_variant_for({1, 64, 64, DType::kBF16}, "onednn_widened").name, "onednn_widened");
  EXPECT_EQ(linear_variant_for({1, 64, 64, DType::kF32}, "onednn_widened").name, "reference");
}

TEST(LinearVariants, EveryShapeHasAVariantThatTakesIt) {
  for (const int m : {1, 8, 9, 1000})
    for (const DType weights : {DType::kF32, DType::kBF16})
      EXPECT_TRUE(linear_variant_for({m, 10, 10, weights}).takes(weights)) << m << " " << name_of(weights);
}

}  // namespace
}  // namespace dachlast::kernels
