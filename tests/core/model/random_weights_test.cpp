#include "core/model/random_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

#include "core/base/error.h"
#include "core/base/overloaded.h"
#include "core/model/weight_slots.h"
#include "tests/core/model/small_models.h"

namespace dachlast {
namespace {

std::span<const float> floats(const Weights& weights, WeightRole role, int layer) {
  return std::get<std::span<const float>>(weights.matrix(role, layer));
}

struct Moments {
  double mean;
  double deviation;
};

Moments moments_of(std::span<const float> values) {
  double sum = 0.0;
  double squares = 0.0;
  for (const float value : values) {
    sum += value;
    squares += static_cast<double>(value) * value;
  }
  const double mean = sum / static_cast<double>(values.size());
  return {mean, std::sqrt(squares / static_cast<double>(values.size()) - mean * mean)};
}

/// All the bits of a model's weights, folded into one number.
std::uint64_t fingerprint(const Weights& weights, const ModelSpec& model) {
  std::uint64_t hash = 1469598103934665603u;  // FNV-1a
  const auto add = [&](std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) hash = (hash ^ static_cast<std::uint64_t>(byte)) * 1099511628211u;
  };
  for (const WeightSlot& slot : fused_weight_slots(model)) {
    std::visit(Overloaded{[&](const PackedMatrix& packed) { add(packed.bytes); },
                          [&](auto span) { add(std::as_bytes(span)); }},
               weights.matrix(slot.role, slot.layer));
    add(std::as_bytes(weights.bias(slot.role, slot.layer)));
  }
  return hash;
}

// The bits of seed 42, computed with a few lines of Python: SplitMix64 of (seed, role 1, layer -1, part 0), four 16-bit
// fields summed, less 131070, times float(1 / sqrt(64) / 37837.227).
TEST(RandomWeights, AreTheSameOnEveryComputer) {
  const auto weights = random_weights(stories_260k(), 42, DType::kF32);
  const auto embedding = floats(*weights, WeightRole::kTokenEmbedding, -1);
  const std::uint32_t expected[] = {0xbe487ddc, 0x3de8caac, 0xbcbe9468, 0x3e1bde1f};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(std::bit_cast<std::uint32_t>(embedding[i]), expected[i]) << i;
  const auto norm = floats(*weights, WeightRole::kInputNorm, 0);
  EXPECT_EQ(norm[0], 0.9967555999755859f);
  EXPECT_EQ(norm[1], 0.9908294677734375f);
}

TEST(RandomWeights, DoNotDependOnTheNumberOfThreads) {
  ModelSpec model = stories_260k();
  model.vocab_size = 40'000;  // 2.56 million elements: three chunks in one matrix
  const std::uint64_t expected = fingerprint(*random_weights(model, 7, DType::kBF16, 1), model);
  for (const int n_threads : {2, 3, 8})
    EXPECT_EQ(fingerprint(*random_weights(model, 7, DType::kBF16, n_threads), model), expected) << n_threads;
}

TEST(RandomWeights, InPanelsDoNotDependOnTheNumberOfThreads) {
  ModelSpec model = stories_260k();
  model.vocab_size = 40'000;
  for (const WeightType type : kQuantizedTypes) {
    const std::uint64_t expected = fingerprint(*random_weights(model, 7, type, 1), model);
    EXPECT_EQ(fingerprint(*random_weights(model, 7, type, 3), model), expected) << name_of(type);
  }
}

TEST(RandomWeights, InPanelsAreTheOnesInRows) {
  const ModelSpec model = stories_260k();
  const auto rows = random_weights(model, 7, DType::kBF16);
  const auto panels = random_weights(model, 7, {DType::kBF16, WeightLayout::kPanels});
  for (const WeightSlot& slot : fused_weight_slots(model)) {
    if (slot.part != WeightPart::kMatrix) continue;
    const auto expected = std::get<std::span<const BF16>>(rows->matrix(slot.role, slot.layer));
    const auto packed = std::get<PackedMatrix>(panels->matrix(slot.role, slot.layer));
    std::vector<float> row(static_cast<std::size_t>(slot.columns));
    for (int i = 0; i < packed.rows; ++i) {
      unpack_row(packed, i, row);
      for (std::size_t l = 0; l < row.size(); ++l)
        ASSERT_EQ(row[l], to_float(expected[static_cast<std::size_t>(i) * row.size() + l])) << i << ", " << l;
    }
  }
}

TEST(RandomWeights, InPanelsTakeTheBytesSaidBefore) {
  for (const ModelSpec& model : {stories_260k(), tiny_phi(), tiny_gpt2()})
    for (const WeightType type : kQuantizedTypes)
      EXPECT_EQ(random_weights(model, 1, type)->resident_bytes(), weight_bytes(model, type)) << name_of(type);
}

TEST(RandomWeights, DependOnTheSeed) {
  const ModelSpec model = stories_260k();
  EXPECT_NE(fingerprint(*random_weights(model, 1, DType::kF32), model),
            fingerprint(*random_weights(model, 2, DType::kF32), model));
}

TEST(RandomWeights, DifferFromLayerToLayerAndRoleToRole) {
  const auto weights = random_weights(stories_260k(), 1, DType::kF32);
  EXPECT_NE(floats(*weights, WeightRole::kOProj, 0)[0], floats(*weights, WeightRole::kOProj, 1)[0]);
  EXPECT_NE(floats(*weights, WeightRole::kOProj, 0)[0], floats(*weights, WeightRole::kQkv, 0)[0]);
}

TEST(RandomWeights, InBf16AreTheFloatsRounded) {
  const auto exact = random_weights(stories_260k(), 5, DType::kF32);
  const auto rounded = random_weights(stories_260k(), 5, DType::kBF16);
  const auto expected = floats(*exact, WeightRole::kMlpUp, 3);
  const auto found = std::get<std::span<const BF16>>(rounded->matrix(WeightRole::kMlpUp, 3));
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i].bits, to_bf16(expected[i]).bits) << i;
  EXPECT_EQ(floats(*rounded, WeightRole::kMlpNorm, 3)[9], floats(*exact, WeightRole::kMlpNorm, 3)[9]);
}

TEST(RandomWeights, HaveDeviationOneOverTheRootOfTheColumns) {
  const auto weights = random_weights(stories_260k(), 3, DType::kF32);
  // 64 · 172 = 11,008 elements: the mean of n elements scatters by deviation / sqrt(n), here 1 % of the deviation, and
  // the deviation itself by less. 4 % are four times that.
  const Moments down = moments_of(floats(*weights, WeightRole::kMlpDown, 2));
  const double deviation = 1.0 / std::sqrt(172.0);
  EXPECT_NEAR(down.deviation, deviation, 0.04 * deviation);
  EXPECT_NEAR(down.mean, 0.0, 0.04 * deviation);
  const Moments embedding = moments_of(floats(*weights, WeightRole::kTokenEmbedding, -1));
  EXPECT_NEAR(embedding.deviation, 1.0 / 8.0, 0.04 / 8.0);  // 1 / sqrt(64)
}

TEST(RandomWeights, NormsActAsFactorsNearOne) {
  const auto plain = random_weights(stories_260k(), 3, DType::kBF16);
  for (const float w : floats(*plain, WeightRole::kFinalNorm, -1)) EXPECT_NEAR(w, 1.0f, 0.2501f);  // 131070 · 2^-19
  const auto gemma = random_weights(tiny_gemma3(), 3, DType::kBF16);  // stores w, means 1 + w
  for (const float w : floats(*gemma, WeightRole::kPostMlpNorm, 0)) EXPECT_NEAR(w, 0.0f, 0.2501f);
  for (const float w : floats(*gemma, WeightRole::kKNorm, 0)) EXPECT_NEAR(w, 0.0f, 0.2501f);
}

TEST(RandomWeights, BiasesArePresentWhereTheModelHasThem) {
  const auto weights = random_weights(tiny_phi(), 3, DType::kF32);
  EXPECT_EQ(weights->bias(WeightRole::kQkv, 0).size(), 20u);  // 12 + 4 + 4
  EXPECT_EQ(weights->bias(WeightRole::kInputNorm, 0).size(), 6u);
  EXPECT_EQ(weights->bias(WeightRole::kLmHead, -1).size(), 11u);
  EXPECT_TRUE(weights->bias(WeightRole::kTokenEmbedding, -1).empty());
  EXPECT_LE(std::abs(weights->bias(WeightRole::kQkv, 0)[5]), 0.0625f);  // 131070 · 2^-21
  EXPECT_TRUE(random_weights(stories_260k(), 3, DType::kF32)->bias(WeightRole::kQkv, 0).empty());
}

TEST(RandomWeights, TiedHeadIsTheEmbedding) {
  const auto tied = random_weights(stories_260k(), 3, DType::kF32);
  EXPECT_EQ(floats(*tied, WeightRole::kLmHead, -1).data(), floats(*tied, WeightRole::kTokenEmbedding, -1).data());
  const auto untied = random_weights(tiny_phi(), 3, DType::kF32);
  EXPECT_NE(floats(*untied, WeightRole::kLmHead, -1)[0], floats(*untied, WeightRole::kTokenEmbedding, -1)[0]);
}

TEST(RandomWeights, PositionTableHasItsRows) {
  const auto weights = random_weights(tiny_opt(), 3, DType::kBF16);
  EXPECT_EQ(std::get<std::span<const BF16>>(weights->positions()).size(), 18u * 6u);
  const auto rope = random_weights(stories_260k(), 3, DType::kBF16)->positions();
  EXPECT_TRUE(std::visit([](auto span) { return span.empty(); }, rope));
}

TEST(RandomWeights, StartOnCacheLines) {
  const auto weights = random_weights(tiny_qwen3(), 3, DType::kF32);
  for (const WeightRole role : {WeightRole::kQkv, WeightRole::kKNorm, WeightRole::kMlpDown})
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(floats(*weights, role, 0).data()) % 64, 0u);
}

TEST(RandomWeights, SayWhatTheyAreAndTakeWhatWasForetold) {
  for (const ModelSpec& model : {stories_260k(), tiny_qwen3(), tiny_gemma3(), tiny_phi(), tiny_gpt2(), tiny_opt()}) {
    for (const DType precision : {DType::kF32, DType::kBF16}) {
      const auto weights = random_weights(model, 42, precision);
      EXPECT_TRUE(weights->random());
      EXPECT_EQ(weights->description(), "random, seed 42");
      EXPECT_EQ(weights->resident_bytes(), weight_bytes(model, precision));
    }
  }
}

TEST(RandomWeights, RefuseWhatNoMemoryHolds) {
  ModelSpec model = stories_260k();
  model.vocab_size = std::numeric_limits<int>::max();
  model.d_model = 1 << 20;
  try {
    random_weights(model, 1, DType::kF32);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDoesNotFit);
    EXPECT_THAT(error.reason(), testing::HasSubstr("GiB) are needed"));
  }
}

TEST(RandomWeights, OtherPrecisionsAreRefused) {
  EXPECT_THROW(random_weights(stories_260k(), 1, DType::kF16), Error);
  EXPECT_THROW(random_weights(stories_260k(), 1, DType::kI8), Error);
}

}  // namespace
}  // namespace dachlast
