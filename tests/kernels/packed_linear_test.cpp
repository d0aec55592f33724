#include "kernels/packed_linear.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>

#include "kernels/linear.h"
#include "tests/kernels/test_data.h"

namespace dachlast::kernels {
namespace {

using testing::Guarded;
using testing::kNan;
using testing::skewed;

constexpr WeightType kPackedTypes[] = {DType::kBF16, kInt8Rows, kInt8Groups32, kInt4Groups32, kInt4Groups128};

/// Memory on a cache line, as arenas and engines give it.
class Lines {
 public:
  explicit Lines(std::size_t n) : storage_(n + 64), size_(n) {
    start_ = (64 - reinterpret_cast<std::uintptr_t>(storage_.data()) % 64) % 64;
  }
  std::span<std::byte> span() { return {storage_.data() + start_, size_}; }
  std::span<const std::byte> span() const { return {storage_.data() + start_, size_}; }

 private:
  std::vector<std::byte> storage_;
  std::size_t size_;
  std::size_t start_ = 0;
};

enum class Bias { kNone, kSome };

struct Problem {
  LinearShape shape;
  Guarded<float> x;
  Guarded<float> bias;
  Lines w;

  Problem(WeightType type, int m, int n, int k, Bias with = Bias::kSome)
      : shape{m, n, k, type},
        x(skewed<float>(std::size_t(m) * k, 1)),
        bias(skewed<float>(with == Bias::kSome ? n : 0, 3)),
        w(PanelLayout(type, k).panel_bytes() * ((n + kPanelRows - 1) / kPanelRows)) {
    const Guarded<float> rows = skewed<float>(std::size_t(n) * k, 2);
    const std::size_t panel_bytes = PanelLayout(type, k).panel_bytes();
    for (int panel = 0; panel < matrix().n_panels(); ++panel) {
      const std::size_t first = std::size_t(panel) * kPanelRows * k;
      pack_panel(type, k, rows.span().subspan(first, std::min(rows.size() - first, std::size_t(kPanelRows) * k)),
                 w.span().subspan(panel * panel_bytes, panel_bytes));
    }
  }

  PackedMatrix matrix() const { return {shape.weight_dtype, shape.n, shape.k, w.span()}; }

  std::string name(const PackedLinearVariant& variant) const {
    return fmt::format("{}, {} weights, m {}, n {}, k {}", variant.name, name_of(shape.weight_dtype), shape.m, shape.n,
                       shape.k);
  }

  Lines packed_x(const PackedLinearVariant& variant) const {
    const RowTiles tiles(shape);
    Lines packed(tiles.bytes());
    variant.pack_rows(shape, x.span(), packed.span(), {0, tiles.n_tiles()});
    return packed;
  }

  Guarded<float> run(const PackedLinearVariant& variant, const std::vector<Slice>& slices) const {
    const Lines packed = packed_x(variant);
    Guarded<float> y(std::size_t(shape.m) * shape.n);
    for (float& value : y.span()) value = kNan;
    for (const Slice slice : slices) variant.run(shape, packed.span(), matrix(), bias.span(), y.span(), slice);
    return y;
  }
};

/// x as the variant reads it: rounded to bf16, or to 127 steps of its row's largest element.
std::vector<double> rounded_row(const Problem& p, int i) {
  std::vector<double> row;
  float most = 0.0f;
  for (int l = 0; l < p.shape.k; ++l) most = std::max(most, std::abs(p.x[std::size_t(i) * p.shape.k + l]));
  for (int l = 0; l < p.shape.k; ++l) {
    const float x = p.x[std::size_t(i) * p.shape.k + l];
    if (!p.shape.weight_dtype.quantized())
      row.push_back(to_float(to_bf16(x)));
    else
      row.push_back(most == 0.0f ? 0.0 : static_cast<double>(most / 127.0f) * std::nearbyint(x * (127.0f / most)));
  }
  return row;
}

/// Sums in double over the dequantized weights. Integer sums are exact and what remains are the roundings of a few
/// float operations a group; bf16 sums err as the square root of their length.
void expect_right(const Problem& p, const PackedLinearVariant& variant, const Guarded<float>& y) {
  EXPECT_TRUE(y.guards_intact()) << p.name(variant);
  std::vector<std::vector<double>> x;
  for (int i = 0; i < p.shape.m; ++i) x.push_back(rounded_row(p, i));
  std::vector<float> w(p.shape.k);
  for (int j = 0; j < p.shape.n; ++j) {
    unpack_row(p.matrix(), j, w);
    for (int i = 0; i < p.shape.m; ++i) {
      double sum = p.bias.size() == 0 ? 0.0 : p.bias[j];
      double magnitude = std::abs(sum);
      for (int l = 0; l < p.shape.k; ++l) {
        sum += x[i][l] * w[l];
        magnitude += std::abs(x[i][l] * w[l]);
      }
      const double tolerance = 2.0 * std::sqrt(p.shape.k + 4.0) * testing::kEpsilon * magnitude;
      ASSERT_NEAR(y[std::size_t(i) * p.shape.n + j], sum, tolerance)
          << p.name(variant) << ", row " << i << ", column " << j;
    }
  }
}

template <class Test>
void for_each_runnable(WeightType weights, const Test& test) {
  for (const PackedLinearVariant& variant : packed_linear_variants())
    if (variant.supported() && variant.takes(weights)) test(variant);
}

std::vector<Slice> whole(const Problem& p) {
  return {{0, p.matrix().n_panels()}};
}

TEST(PackedLinearVariants, MultiplyAnySize) {
  for (const WeightType type : kPackedTypes)
    for (const int m : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 33})
      for (const int n : {1, 16, 17, 33})
        for (const int k : {1, 2, 5, 31, 32, 33, 64, 130, 260}) {
          const Problem problem(type, m, n, k, k % 2 == 0 ? Bias::kSome : Bias::kNone);
          for_each_runnable(type, [&](const PackedLinearVariant& variant) {
            expect_right(problem, variant, problem.run(variant, whole(problem)));
          });
        }
}

TEST(PackedLinearVariants, MultiplyLongRowsAndManyPanels) {
  for (const WeightType type : kPackedTypes)
    for (const int m : {1, 25}) {
      const Problem problem(type, m, 101, 4101);
      for_each_runnable(type, [&](const PackedLinearVariant& variant) {
        expect_right(problem, variant, problem.run(variant, whole(problem)));
      });
    }
}

TEST(PackedLinearVariants, SlicesDoNotChangeABit) {
  for (const WeightType type : kPackedTypes)
    for (const int m : {1, 5, 40}) {
      const Problem problem(type, m, 210, 300);
      for_each_runnable(type, [&](const PackedLinearVariant& variant) {
        const Guarded<float> expected = problem.run(variant, whole(problem));
        for (const int pieces : {2, 3, 7, 16})
          EXPECT_EQ(testing::first_difference(expected, problem.run(variant, testing::cut(7, pieces))), -1)
              << problem.name(variant) << ", " << pieces << " slices";
      });
    }
}

TEST(PackedLinearVariants, WriteTheirColumnsOnly) {
  for (const WeightType type : kPackedTypes) {
    const Problem problem(type, 3, 100, 20);
    for_each_runnable(type, [&](const PackedLinearVariant& variant) {
      const Guarded<float> y = problem.run(variant, {{1, 2}, {3, 3}});
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 100; ++j)
          EXPECT_EQ(std::isnan(y[i * 100 + j]), j < 32 || j >= 64) << problem.name(variant) << ", column " << j;
    });
  }
}

TEST(PackedLinearVariants, RoundActivationsToTheSameBits) {
  for (const WeightType type : kPackedTypes)
    for (const int m : {1, 7, 12, 13, 50})
      for (const int k : {1, 4, 15, 17, 32, 100, 129}) {
        const Problem problem(type, m, 1, k);
        const RowTiles tiles(problem.shape);
        const Lines expected = problem.packed_x(packed_linear_variants().back());
        for_each_runnable(type, [&](const PackedLinearVariant& variant) {
          const Lines packed = problem.packed_x(variant);
          for (int tile = 0; tile < tiles.n_tiles(); ++tile) {
            const std::size_t begin = tiles.start(tile);
            const std::size_t used =
                tiles.steps(tile) - begin + std::size_t(4) * tiles.rows(tile) * PanelLayout(type, k).n_steps;
            EXPECT_EQ(std::memcmp(packed.span().data() + begin, expected.span().data() + begin, used), 0)
                << problem.name(variant) << ", tile " << tile;
          }
        });
      }
}

TEST(PackedLinearVariants, AnActivationThatIsNoNumberShows) {
  for (const WeightType type : kPackedTypes)
    for (const float strange : {kNan, std::numeric_limits<float>::infinity()}) {
      Problem problem(type, 3, 40, 70);
      problem.x[1 * 70 + 33] = strange;
      for_each_runnable(type, [&](const PackedLinearVariant& variant) {
        const Guarded<float> y = problem.run(variant, whole(problem));
        for (int j = 0; j < 40; ++j) {
          EXPECT_FALSE(std::isfinite(y[40 + j])) << problem.name(variant);
          EXPECT_TRUE(std::isfinite(y[j]) && std::isfinite(y[80 + j])) << problem.name(variant);
        }
      });
    }
}

TEST(PackedLinearVariants, ActivationsNearZeroGiveTheBias) {
  for (const WeightType type : kPackedTypes)
    for (const float tiny : {0.0f, 1e-38f, -1e-36f}) {
      Problem problem(type, 2, 40, 70);
      for (float& value : problem.x.span()) value = tiny;
      for_each_runnable(type, [&](const PackedLinearVariant& variant) {
        const Guarded<float> y = problem.run(variant, whole(problem));
        for (int j = 0; j < 40; ++j) EXPECT_NEAR(y[j], problem.bias[j], 1e-33) << problem.name(variant);
      });
    }
}

TEST(PackedLinearVariants, ReferenceIsLastAndRunsAnywhere) {
  const PackedLinearVariant& last = packed_linear_variants().back();
  EXPECT_EQ(last.name, "reference");
  EXPECT_TRUE(last.supported());
  for (const WeightType type : kPackedTypes) EXPECT_TRUE(last.takes(type));
}

TEST(PackedLinearVariants, ANamedVariantIsTaken) {
  EXPECT_EQ(packed_linear_variant_for(kInt8Rows, "reference").name, "reference");
  EXPECT_EQ(packed_linear_variant_for(kInt8Rows, "nonsense").name, "reference");
}

TEST(RowTiles, CoverAllRowsOnceAndDifferByAtMostOne) {
  for (const WeightType type : kPackedTypes)
    for (int m = 1; m <= 100; ++m) {
      const RowTiles tiles({m, 32, 64, type});
      int row = 0;
      for (int tile = 0; tile < tiles.n_tiles(); ++tile) {
        EXPECT_EQ(tiles.first_row(tile), row);
        EXPECT_LE(tiles.rows(tile), kMostTileRows);
        EXPECT_GE(tiles.rows(tile), tiles.rows(0) - 1);
        row += tiles.rows(tile);
      }
      EXPECT_EQ(row, m);
    }
}

TEST(LinearCost, CountsTheScalesOfQuantizedWeights) {
  // 2048 · 8192 weights of 4.5 bits; 2·m·n·k FLOP; x [4, 8192] and y [4, 2048] in float.
  const OpCost cost = linear_cost({4, 2048, 8192, kInt4Groups32});
  EXPECT_DOUBLE_EQ(cost.weight_bytes.value, 2048.0 * 8192 * 4.5 / 8);
  EXPECT_DOUBLE_EQ(cost.flops.value, 2.0 * 4 * 2048 * 8192);
  EXPECT_DOUBLE_EQ(cost.activation_bytes.value, 4.0 * (8192 + 2048) * 4);
}

}  // namespace
}  // namespace dachlast::kernels
