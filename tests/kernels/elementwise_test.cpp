#include "kernels/elementwise.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <numbers>

#include "tests/kernels/test_data.h"

namespace dachlast::kernels {
namespace {

using testing::for_each_build;
using testing::Guarded;
using testing::kEpsilon;
using testing::kNan;
using testing::number;
using testing::same_bits;
using testing::skewed;

/// Sizes around the vector widths (8, 16) and the unrolled loops over them (32, 64), and odd ones.
constexpr int kWidths[] = {1, 2, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 257};

constexpr int kRows = 5;

/// Runs `run(slice)` over the whole range in one and in several slices and expects the same bits in `output`.
template <class T, class Run>
void expect_same_for_any_slicing(std::string_view name, Guarded<T>& output, int n_units, const Run& run) {
  const Guarded<T> before = output;
  run(Slice{0, n_units});
  const Guarded<T> whole = output;
  for (const int pieces : {2, 3, 11}) {
    output = before;
    for (const Slice slice : testing::cut(n_units, pieces)) run(slice);
    EXPECT_EQ(testing::first_difference(whole, output), -1) << name << ", " << pieces << " slices";
  }
  EXPECT_TRUE(output.guards_intact()) << name;
}

// ---- embed

template <class Tokens, class Positions>
void expect_embeds(const Variant<Embed>& variant, int d_model, bool with_positions) {
  const auto tokens = skewed<Tokens>(std::size_t(7) * d_model, 1);
  const auto positions = skewed<Positions>(std::size_t(9) * d_model, 2);
  const std::array<std::int32_t, kRows> ids = {6, 0, 3, 3, 1};
  const std::array<std::int32_t, kRows> rows = {2, 3, 8, 0, 2};
  const EmbedTables tables{tokens.span(), with_positions ? positions.span() : std::span<const Positions>(), 1.5f};
  Guarded<float> out(std::size_t(kRows) * d_model);
  expect_same_for_any_slicing(variant.name, out, kRows, [&](Slice slice) {
    variant.run({kRows, d_model, DType::kF32, with_positions ? 2 : 1}, tables, ids, rows, out.span(), slice);
  });
  for (int t = 0; t < kRows; ++t)
    for (int i = 0; i < d_model; ++i) {
      const double scaled = 1.5 * number(tokens[std::size_t(ids[t]) * d_model + i]);
      const double position = with_positions ? number(positions[std::size_t(rows[t]) * d_model + i]) : 0.0;
      ASSERT_NEAR(out[std::size_t(t) * d_model + i], scaled + position,
                  kEpsilon * (std::abs(scaled) + std::abs(position)))
          << variant.name << ", width " << d_model << ", token " << t << ", element " << i;
    }
}

TEST(Embed, GathersScalesAndAddsPositions) {
  for_each_build(embed_variants(), [&](const auto& variant) {
    for (const int d_model : kWidths) {
      expect_embeds<float, float>(variant, d_model, false);
      expect_embeds<float, float>(variant, d_model, true);
      expect_embeds<BF16, BF16>(variant, d_model, true);
      expect_embeds<BF16, float>(variant, d_model, true);
    }
  });
}

// ---- norm

struct NormCase {
  NormKind kind;
  bool bias;
  float weight_offset;
  float mean_shift;  // a mean far from 0 punishes variances taken as E[x²] − E[x]² in float
};

/// Rows of `dim` floats, `dim + 3` apart; what lies between them is NaN.
Guarded<float> rows_with_gaps(int dim, float shift) {
  const auto values = skewed<float>(std::size_t(kRows) * dim, 4);
  Guarded<float> x(std::size_t(kRows) * (dim + 3));
  for (float& value : x.span()) value = kNan;
  for (int r = 0; r < kRows; ++r)
    for (int i = 0; i < dim; ++i) x[std::size_t(r) * (dim + 3) + i] = values[std::size_t(r) * dim + i] + shift;
  return x;
}

double expected_norm(const NormCase& c, const float* x, int dim, float w, float bias, int i) {
  double mean = 0.0, variance = 0.0;
  for (int l = 0; l < dim && c.kind == NormKind::kLayer; ++l) mean += x[l] / static_cast<double>(dim);
  for (int l = 0; l < dim; ++l) variance += (x[l] - mean) * (x[l] - mean) / dim;
  return (x[i] - mean) / std::sqrt(variance + 1e-3) * (static_cast<double>(c.weight_offset) + w) + bias;
}

void expect_norms(const Variant<Norm>& variant, const NormCase& c, int dim) {
  const Guarded<float> x = rows_with_gaps(dim, c.mean_shift);
  const auto w = skewed<float>(dim, 5), bias = skewed<float>(c.bias ? dim : 0, 6);
  Guarded<float> out(std::size_t(kRows) * (dim + 1));
  const NormShape shape{kRows, dim, c.kind};
  expect_same_for_any_slicing(variant.name, out, kRows, [&](Slice rows) {
    variant.run(shape, {1e-3f, c.weight_offset}, x.span(), dim + 3, w.span(), bias.span(), out.span(), dim + 1, rows);
  });
  for (int r = 0; r < kRows; ++r) {
    for (int i = 0; i < dim; ++i) {
      const float* row = &x[std::size_t(r) * (dim + 3)];
      const double expected = expected_norm(c, row, dim, w[i], c.bias ? bias[i] : 0.0f, i);
      // x carries a rounding of its own size: shift · epsilon, divided by the deviation that the row is scaled by.
      const double tolerance = kEpsilon * (8.0 + 40.0 * std::abs(c.mean_shift)) * (1.0 + std::abs(expected));
      ASSERT_NEAR(out[std::size_t(r) * (dim + 1) + i], expected, tolerance)
          << variant.name << ", dim " << dim << ", row " << r << ", element " << i;
    }
    EXPECT_TRUE(std::isnan(out[std::size_t(r) * (dim + 1) + dim])) << variant.name << " wrote between rows";
  }
}

TEST(Norm, EveryVariantAndKind) {
  for_each_build(norm_variants(), [&](const auto& variant) {
    for (const int dim : kWidths) {
      expect_norms(variant, {NormKind::kRms, false, 0.0f, 0.0f}, dim);
      expect_norms(variant, {NormKind::kRms, false, 1.0f, 0.0f}, dim);
      expect_norms(variant, {NormKind::kLayer, true, 0.0f, 0.0f}, dim);
      expect_norms(variant, {NormKind::kLayer, false, 0.0f, 0.0f}, dim);
      expect_norms(variant, {NormKind::kLayer, true, 0.0f, 50.0f}, dim);
    }
  });
}

TEST(Norm, WorksInPlace) {
  for_each_build(norm_variants(), [&](const auto& variant) {
    const Guarded<float> x = rows_with_gaps(33, 0.0f);
    const auto w = skewed<float>(33, 5);
    const NormShape shape{kRows, 33, NormKind::kRms};
    Guarded<float> apart = x, in_place = x;
    variant.run(shape, {1e-5f, 0.0f}, x.span(), 36, w.span(), {}, apart.span(), 36, {0, kRows});
    variant.run(shape, {1e-5f, 0.0f}, in_place.span(), 36, w.span(), {}, in_place.span(), 36, {0, kRows});
    EXPECT_EQ(testing::first_difference(apart, in_place), -1) << variant.name;
  });
}

// ---- rope

/// Heads of `head_dim` elements of which the first `rotary_dim` turn; rows are 3 floats further apart than the heads
/// need.
void expect_rotates(const Variant<Rope>& variant, int head_dim, int rotary_dim) {
  constexpr int kHeads = 3;
  const int half = rotary_dim / 2, stride = kHeads * head_dim + 3;
  const auto before = skewed<float>(std::size_t(kRows) * stride, 7);
  const auto cos = skewed<float>(std::size_t(kRows) * half, 8), sin = skewed<float>(std::size_t(kRows) * half, 9);
  Guarded<float> qkv = before;
  expect_same_for_any_slicing(variant.name, qkv, kRows, [&](Slice tokens) {
    variant.run({kRows, kHeads, head_dim, rotary_dim}, qkv.span(), stride, cos.span(), sin.span(), tokens);
  });
  for (int t = 0; t < kRows; ++t)
    for (int i = 0; i < stride; ++i) {
      const std::size_t at = std::size_t(t) * stride + i;
      const int in_head = i % head_dim;
      if (i >= kHeads * head_dim || in_head >= 2 * half) {
        EXPECT_EQ(qkv[at], before[at]) << variant.name << ", column " << i;
        continue;
      }
      const bool first = in_head < half;
      const double partner = before[first ? at + half : at - half];
      const std::size_t angle = std::size_t(t) * half + in_head % half;
      const double expected =
          static_cast<double>(before[at]) * cos[angle] + (first ? -1.0 : 1.0) * partner * sin[angle];
      ASSERT_NEAR(qkv[at], expected, 16 * kEpsilon) << variant.name << ", head_dim " << head_dim << ", column " << i;
    }
}

TEST(Rope, RotatesPairsOfEachHead) {
  for_each_build(rope_variants(), [&](const auto& variant) {
    for (const auto& [head_dim, rotary_dim] :
         {std::pair{2, 2}, std::pair{10, 6}, std::pair{32, 32}, std::pair{34, 34}, std::pair{64, 64}, std::pair{80, 32},
          std::pair{128, 128}, std::pair{100, 66}})
      expect_rotates(variant, head_dim, rotary_dim);
  });
}

TEST(Rope, RotatesNeighboursAsItRotatesHalves) {
  for_each_build(rope_variants(), [&](const auto& variant) {
    for (const auto& [head_dim, rotary_dim] :
         {std::pair{2, 2}, std::pair{10, 6}, std::pair{64, 64}, std::pair{100, 66}}) {
      constexpr int kHeads = 3;
      const int half = rotary_dim / 2, stride = kHeads * head_dim + 3;
      auto neighbours = skewed<float>(std::size_t(kRows) * stride, 7), halves = neighbours;
      const auto cos = skewed<float>(std::size_t(kRows) * half, 8), sin = skewed<float>(std::size_t(kRows) * half, 9);
      // Where element i of the halves lies among neighbours.
      const auto twin = [&](int i) { return i >= rotary_dim ? i : i < half ? 2 * i : 2 * (i - half) + 1; };
      const auto at = [&](int t, int h, int i) {
        return std::size_t(t) * stride + std::size_t(h) * head_dim + std::size_t(i);
      };
      for (int t = 0; t < kRows; ++t)
        for (int h = 0; h < kHeads; ++h)
          for (int i = 0; i < head_dim; ++i) halves[at(t, h, i)] = neighbours[at(t, h, twin(i))];
      const RopeShape shape{kRows, kHeads, head_dim, rotary_dim};
      variant.run(shape, halves.span(), stride, cos.span(), sin.span(), {0, kRows});
      RopeShape other = shape;
      other.pairs = RopePairs::kNeighbours;
      expect_same_for_any_slicing(variant.name, neighbours, kRows, [&](Slice tokens) {
        variant.run(other, neighbours.span(), stride, cos.span(), sin.span(), tokens);
      });
      for (int t = 0; t < kRows; ++t)
        for (int h = 0; h < kHeads; ++h)
          for (int i = 0; i < head_dim; ++i)
            ASSERT_NEAR(neighbours[at(t, h, twin(i))], halves[at(t, h, i)], 16 * kEpsilon)
                << variant.name << ", head_dim " << head_dim << ", element " << i;
    }
  });
}

// ---- activate

double activated(Activation activation, double x) {
  switch (activation) {
    case Activation::kSilu: return x / (1.0 + std::exp(-x));
    case Activation::kGeluTanh:
      return 0.5 * x * (1.0 + std::tanh(std::sqrt(2.0 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kGeluErf: return 0.5 * x * (1.0 + std::erf(x / std::numbers::sqrt2));
    case Activation::kRelu: return std::max(x, 0.0);
    case Activation::kReluSquared: return std::max(x, 0.0) * std::max(x, 0.0);
  }
  return kNan;
}

constexpr Activation kActivations[] = {Activation::kSilu, Activation::kGeluTanh, Activation::kGeluErf,
                                       Activation::kRelu, Activation::kReluSquared};

TEST(Activate, EveryVariantFunctionAndGate) {
  for_each_build(activate_variants(), [&](const auto& variant) {
    for (const Activation activation : kActivations)
      for (const Gate gate : {Gate::kNone, Gate::kGated})
        for (const int d_ff : kWidths) {
          const int columns = d_ff * (gate == Gate::kGated ? 2 : 1);
          const auto in = skewed<float>(std::size_t(kRows) * columns, 13);
          Guarded<float> out(std::size_t(kRows) * d_ff);
          expect_same_for_any_slicing(variant.name, out, kRows, [&](Slice tokens) {
            variant.run({kRows, d_ff, gate}, activation, in.span(), out.span(), tokens);
          });
          for (int t = 0; t < kRows; ++t)
            for (int i = 0; i < d_ff; ++i) {
              const float* row = &in[std::size_t(t) * columns];
              const double expected = activated(activation, row[i]) * (gate == Gate::kGated ? row[d_ff + i] : 1.0);
              ASSERT_NEAR(out[std::size_t(t) * d_ff + i], expected, 8 * kEpsilon) << variant.name << ", d_ff " << d_ff;
            }
        }
  });
}

TEST(Activate, HoldsOverTheWholeRange) {
  // −40 … 40 in steps of 1/64: 5,121 values, and the ends of the float range where x³ and exp(−x) leave it.
  std::vector<float> in;
  for (int i = -2560; i <= 2560; ++i) in.push_back(static_cast<float>(i) / 64.0f);
  for (const float large : {88.5f, 105.0f, 1e4f, 1e13f, 1e30f, 3e38f}) in.insert(in.end(), {large, -large});
  const ActivationShape shape{1, static_cast<int>(in.size()), Gate::kNone};
  std::vector<float> out(in.size());
  for_each_build(activate_variants(), [&](const auto& variant) {
    for (const Activation activation : kActivations) {
      variant.run(shape, activation, in, out, {0, 1});
      for (std::size_t i = 0; i < in.size(); ++i) {
        const double expected = activated(activation, in[i]);
        if (expected > std::numeric_limits<float>::max()) {  // squares leave the range
          ASSERT_EQ(out[i], std::numeric_limits<float>::infinity()) << variant.name << ": " << in[i];
          continue;
        }
        ASSERT_NEAR(out[i], expected, 6 * kEpsilon * std::max(1.0, std::abs(expected)))
            << variant.name << ": " << in[i];
      }
    }
  });
}

TEST(Activate, SmallResultsKeepTheirDigits) {
  // x · Φ(x) at −6: −6 · 9.8659e-10; an erf that is only right to 1e-7 would yield 0 or noise.
  for_each_build(activate_variants(), [&](const auto& variant) {
    const float in = -6.0f;
    float out = kNan;
    variant.run({1, 1, Gate::kNone}, Activation::kGeluErf, {&in, 1}, {&out, 1}, {0, 1});
    EXPECT_NEAR(out, -6.0 * 0.5 * std::erfc(6.0 / std::numbers::sqrt2), 1e-5 * 5.92e-9) << variant.name;
  });
}

// ---- residual, softcap, sample

TEST(Residual, AddsTheBranch) {
  for_each_build(residual_variants(), [&](const auto& variant) {
    for (const int d_model : kWidths) {
      const auto before = skewed<float>(std::size_t(kRows) * d_model, 14);
      const auto branch = skewed<float>(std::size_t(kRows) * d_model, 15);
      Guarded<float> residual = before;
      expect_same_for_any_slicing(variant.name, residual, kRows, [&](Slice tokens) {
        variant.run({kRows, d_model}, residual.span(), branch.span(), tokens);
      });
      for (std::size_t i = 0; i < residual.size(); ++i) ASSERT_EQ(residual[i], before[i] + branch[i]) << variant.name;
    }
  });
}

TEST(Softcap, BendsTowardsTheCap) {
  for (const int n : kWidths) {
    auto logits = skewed<float>(n, 16);
    for (float& logit : logits.span()) logit *= 100.0f;
    const Guarded<float> before = logits;
    softcap(logits.span(), 30.0f);
    EXPECT_TRUE(logits.guards_intact());
    for (int i = 0; i < n; ++i) ASSERT_NEAR(logits[i], 30.0 * std::tanh(before[i] / 30.0), 30 * 4 * kEpsilon) << n;
  }
}

TEST(Sample, TakesTheLargestWhereverItStands) {
  for_each_build(sample_variants(), [&](const auto& variant) {
    for (const int vocab_size : kWidths) {
      const SampleShape shape{vocab_size, vocab_size};
      auto logits = skewed<float>(std::size_t(vocab_size) * vocab_size, 17);
      for (int r = 0; r < vocab_size; ++r) logits[std::size_t(r) * vocab_size + r] = 5.0f;  // all others are below 2
      std::vector<std::int32_t> ids(vocab_size, -1);
      for (const Slice rows : testing::cut(vocab_size, 3)) variant.run(shape, logits.span(), ids, rows);
      for (int r = 0; r < vocab_size; ++r) ASSERT_EQ(ids[r], r) << variant.name << ", vocabulary of " << vocab_size;
    }
  });
}

std::int32_t sampled(const Variant<Sample>& variant, const std::vector<float>& logits) {
  std::int32_t id = -1;
  variant.run({1, static_cast<int>(logits.size())}, logits, {&id, 1}, {0, 1});
  return id;
}

TEST(Sample, LowestIndexWinsATie) {
  for_each_build(sample_variants(), [&](const auto& variant) {
    std::vector<float> logits(50, -1.0f);
    logits[20] = logits[21] = logits[37] = logits[49] = 3.0f;  // other lanes and the tail behind the last full vector
    EXPECT_EQ(sampled(variant, logits), 20) << variant.name;
    EXPECT_EQ(sampled(variant, std::vector<float>(50, 0.25f)), 0) << variant.name;
  });
}

TEST(Sample, NanNeverWins) {
  for_each_build(sample_variants(), [&](const auto& variant) {
    std::vector<float> logits(40, -7.0f);
    logits[0] = logits[16] = logits[39] = kNan;
    logits[17] = -6.0f;
    EXPECT_EQ(sampled(variant, logits), 17) << variant.name;
    EXPECT_EQ(sampled(variant, std::vector<float>(40, kNan)), 0) << variant.name;
    EXPECT_EQ(sampled(variant, std::vector<float>(40, -std::numeric_limits<float>::infinity())), 0) << variant.name;
  });
}

TEST(ElementwiseVariants, ReferenceIsLastAndChosenByName) {
  EXPECT_EQ(norm_variants().back().name, "reference");
  EXPECT_EQ(first_supported(norm_variants()).name, "simd");
  EXPECT_EQ(first_supported(norm_variants(), "reference").name, "reference");
}

}  // namespace
}  // namespace dachlast::kernels
