// The bundled trained model against the outputs of the reference program, see tests/data/stories260k/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "kernels/attention.h"
#include "tests/core/engine/stories_model.h"

namespace dachlast {
namespace {

// A float64 implementation agrees with the golden float32 logits to 3.1e-5; logits reach 17.
constexpr float kLogitTolerance = 1e-3f;

/// The first `n` ids of prompt and answer.
std::vector<std::int32_t> first_ids(const GoldenRun& run, std::size_t n) {
  std::vector<std::int32_t> ids = run.prompt_ids;
  ids.insert(ids.end(), run.greedy_ids.begin(), run.greedy_ids.end());
  ids.resize(n);
  return ids;
}

float largest_difference(std::span<const float> a, std::span<const float> b) {
  EXPECT_EQ(a.size(), b.size());
  float largest = 0.0f;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

/// Mean of -ln p(next id) over a sequence, given the logits of all its positions but the last.
double mean_nll(std::span<const float> logits, std::span<const std::int32_t> ids, std::size_t vocab_size) {
  double sum = 0.0;
  for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
    const auto row = logits.subspan(t * vocab_size, vocab_size);
    const double largest = *std::max_element(row.begin(), row.end());
    double mass = 0.0;
    for (const float logit : row) mass += std::exp(logit - largest);
    sum += largest + std::log(mass) - row[static_cast<std::size_t>(ids[t + 1])];
  }
  return sum / static_cast<double>(ids.size() - 1);
}

class Golden : public testing::TestWithParam<std::string> {};

TEST_P(Golden, F32GivesExactlyTheGoldenIds) {
  const StoriesModel model = open_stories(DType::kF32);
  EngineOptions options = stories_options(DType::kF32, KvFormat::kF32);
  options.attention_variant = GetParam();
  Engine engine(model.spec, *model.weights, options);
  for (const GoldenRun& run : golden_runs()) {
    engine.reset();
    EXPECT_EQ(generate(engine, run.prompt_ids, run.greedy_ids.size()), run.greedy_ids);
  }
}

TEST_P(Golden, F32LogitsOfAPrefillAgree) {
  const StoriesModel model = open_stories(DType::kF32);
  EngineOptions options = stories_options(DType::kF32, KvFormat::kF32);
  options.attention_variant = GetParam();
  options.logits = LogitsFor::kAllTokens;
  Engine engine(model.spec, *model.weights, options);
  for (std::size_t i = 0; i < golden_runs().size(); ++i) {
    const NpyArray golden = read_npy("logits." + std::to_string(i) + ".npy");
    ASSERT_EQ(golden.shape, (std::vector<int>{32, 512}));
    engine.reset();
    const auto logits = engine.prefill(first_ids(golden_runs()[i], 32), LogitsFor::kAllTokens);
    EXPECT_LT(largest_difference(logits, golden.values), kLogitTolerance) << "run " << i;
  }
}

/// Those that compute in float, as the golden run did.
std::vector<std::string> attention_names() {
  std::vector<std::string> names;
  for (const auto& variant : kernels::attention_variants())
    if (variant.supported() && variant.arithmetic == DType::kF32) names.emplace_back(variant.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Attention, Golden, testing::ValuesIn(attention_names()),
                         [](const auto& variant) { return variant.param; });

TEST(GoldenCaches, WhatIsFetchedOrRecomputedIsWhatWasKept) {
  const StoriesModel model = open_stories(DType::kF32);
  for (const char* kv : {"paged:16", "offload:host:32", "offload:file:32", "recompute:40"}) {
    EngineOptions options = stories_options(DType::kF32, KvFormat::kF32);
    options.kv = parse_kv_spec("--kv", kv);
    options.kv_tier.scratch = std::filesystem::temp_directory_path();
    Engine engine(model.spec, *model.weights, options);
    for (const GoldenRun& run : golden_runs()) {
      engine.reset();
      EXPECT_EQ(generate(engine, run.prompt_ids, run.greedy_ids.size()), run.greedy_ids) << kv;
    }
  }
}

TEST(GoldenDecode, F32LogitsOfEveryStepAgree) {
  const StoriesModel model = open_stories(DType::kF32);
  Engine engine(model.spec, *model.weights, stories_options(DType::kF32, KvFormat::kF32));
  for (std::size_t i = 0; i < golden_runs().size(); ++i) {
    const NpyArray golden = read_npy("logits." + std::to_string(i) + ".npy");
    const auto ids = first_ids(golden_runs()[i], 32);
    engine.reset();
    for (std::size_t t = 0; t < ids.size(); ++t)
      EXPECT_LT(largest_difference(engine.decode({&ids[t], 1}), std::span(golden.values).subspan(t * 512, 512)),
                kLogitTolerance)
          << "run " << i << ", position " << t;
  }
}

/// Of run 0 over its 257 ids, BOS first: the golden mean runs over the 256 predictions between them.
double mean_nll_of_run_0(const WeightStorage& weights, KvFormat kv) {
  const StoriesModel model = open_stories(weights);
  EngineOptions options = stories_options(weights, kv);
  options.logits = LogitsFor::kAllTokens;
  Engine engine(model.spec, *model.weights, options);
  const std::vector<std::int32_t> ids = first_ids(golden_runs()[0], 257);
  return mean_nll(engine.prefill(ids, LogitsFor::kAllTokens), ids, 512);
}

constexpr double kGoldenNll = 0.4573462369980332;  // golden.json, run 0, in float64

TEST(GoldenLikelihood, F32Agrees) {
  // Every logit is within 3.1e-5 of float64, so -ln p is within twice that.
  EXPECT_NEAR(mean_nll_of_run_0(DType::kF32, KvFormat::kF32), kGoldenNll, 6.2e-5);
}

TEST(GoldenLikelihood, Bf16WeightsAndCacheLoseLittleOfTheModel) {
  // bf16 keeps 8 bits: weights and cached rows are off by up to 2^-9 each, which must cost the text a few thousandths
  // of a nat, not nothing.
  for (const KvFormat kv : {KvFormat::kF32, KvFormat::kBF16}) {
    const double nll = mean_nll_of_run_0(DType::kBF16, kv);
    EXPECT_NEAR(nll, kGoldenNll, 0.01) << "KV cache in " << name_of(kv);
    EXPECT_GT(std::abs(nll - kGoldenNll), 1e-5) << "KV cache in " << name_of(kv);
  }
}

TEST(GoldenLikelihood, Bf16InPanelsLosesNoMoreThanInRows) {
  const double nll = mean_nll_of_run_0({DType::kBF16, WeightLayout::kPanels}, KvFormat::kBF16);
  EXPECT_NEAR(nll, kGoldenNll, 0.01);
}

TEST(GoldenLikelihood, QuantizedWeightsKeepTheText) {
  // Against uniform guessing, ln 512 = 6.2 nat. int8 moves a weight by at most 1/254 of the largest of its row; int4 by
  // 1/16 of the largest of its group, which a model of 260,000 parameters feels, the more the larger the group.
  EXPECT_NEAR(mean_nll_of_run_0(kInt8Rows, KvFormat::kF32), kGoldenNll, 0.02);
  EXPECT_NEAR(mean_nll_of_run_0(kInt8Groups32, KvFormat::kF32), kGoldenNll, 0.02);
  EXPECT_NEAR(mean_nll_of_run_0(kInt4Groups32, KvFormat::kF32), kGoldenNll, 0.5);
  EXPECT_NEAR(mean_nll_of_run_0(kInt4Groups128, KvFormat::kF32), kGoldenNll, 1.0);
}

TEST(GoldenLikelihood, TheReferenceKernelsAgreeOnQuantizedWeights) {
  // The same integers, summed in double: what differs are roundings of float sums, which may move an activation by one
  // of its 127 steps where it lies between two.
  const StoriesModel model = open_stories(kInt4Groups32);
  EngineOptions options = stories_options(kInt4Groups32, KvFormat::kF32);
  const auto ids = first_ids(golden_runs()[0], 20);
  Engine engine(model.spec, *model.weights, options);
  const auto logits = engine.prefill(ids);
  options.linear_variant = "reference";
  Engine reference(model.spec, *model.weights, options);
  EXPECT_LT(largest_difference(logits, reference.prefill(ids)), 0.2f);
}

}  // namespace
}  // namespace dachlast
