#include "core/workbench/advise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/viewmodel/advice_view.h"

namespace dachlast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

AdviceRequest request(const char* model, const char* device, int context, int answer, int batch) {
  AdviceRequest request;
  request.scenario.model = model;
  request.scenario.device = device;
  request.context_tokens = context;
  request.answer_tokens = answer;
  request.batch_size = batch;
  return request;
}

const Advice& lever(const AdviceReport& report, std::string_view id) {
  const auto found = std::ranges::find(report.advice, id, &Advice::id);
  EXPECT_NE(found, report.advice.end()) << id;
  return *found;
}

double gain(const AdviceReport& report, std::string_view id) {
  const Advice& advice = lever(report, id);
  EXPECT_TRUE(advice.gain.has_value()) << id << ": " << advice.reason;
  return advice.gain ? advice.gain->value : 0.0;
}

// One sequence of Llama 3.1 8B: 15 GB of weights a token against 2,304 tokens · 128 KiB = 0.3 GB of cache.
TEST(Advise, OneRequestAtATimeIsWeightBoundAndCompressingTheCacheIsWaste) {
  const AdviceReport report = advise_scenario(request("llama-3.1-8b", "h100", 2560, 512, 1)).report;
  ASSERT_TRUE(report.bottleneck.has_value());
  EXPECT_EQ(report.bottleneck->phase, Phase::kDecode);
  EXPECT_EQ(report.bottleneck->resource, Resource::kWeights);
  const Advice& cache = lever(report, "cache-fp8");
  EXPECT_EQ(cache.state, AdviceState::kWasted);
  EXPECT_THAT(cache.reason, StartsWith("decode is weight-bound at batch 1: the KV cache takes "));
  EXPECT_GT(gain(report, "weights-fp8"), 0.2);  // half of what 81 % of the time reads
  EXPECT_GT(gain(report, "batch"), 3.0);        // sequences share the weights
}

// 24 sequences of 16,384 tokens · 128 KiB = 48 GiB of cache against 15 GiB of weights.
TEST(Advise, LongContextsInALargeBatchTurnItRound) {
  const AdviceReport report = advise_scenario(request("llama-3.1-8b", "h100", 16384, 8192, 24)).report;
  ASSERT_TRUE(report.fits);
  ASSERT_TRUE(report.bottleneck.has_value());
  EXPECT_EQ(report.bottleneck->resource, Resource::kCache);
  EXPECT_GT(gain(report, "cache-fp8"), 0.15);
  EXPECT_GT(gain(report, "cache-fp8"), gain(report, "weights-fp8"));
  EXPECT_LT(*lever(report, "cache-fp8").memory_bytes, -20e9);  // half of 48 GiB
}

TEST(Advise, PromptsWithoutAnswersAreComputeBoundAndNarrowReadsAreWaste) {
  const AdviceReport report = advise_scenario(request("llama-3.1-8b", "h100", 8192, 1, 1)).report;
  ASSERT_TRUE(report.bottleneck.has_value());
  EXPECT_EQ(report.bottleneck->phase, Phase::kPrefill);
  EXPECT_EQ(report.bottleneck->resource, Resource::kProducts);
  EXPECT_LT(gain(report, "weights-int4"), 0.03);  // four bits are widened before 16-bit products
  EXPECT_GT(gain(report, "weights-fp8"), 0.15);   // FP8 units have twice the rate
  EXPECT_GT(gain(report, "swift-kv"), 0.4);       // nearly half of the products
  EXPECT_GT(gain(report, "prefix-sharing"), 0.6);
}

TEST(Advise, WhatDoesNotFitHasNoGain) {
  const AdviceReport report = advise_scenario(request("llama-3.1-70b", "h100", 8192, 1024, 1)).report;
  EXPECT_FALSE(report.fits);
  EXPECT_FALSE(report.time.has_value());
  for (const Advice& advice : report.advice) EXPECT_FALSE(advice.gain.has_value()) << advice.id;
  // 70.6 B · 2 B = 131 GiB of weights on two devices of 73 GiB
  EXPECT_EQ(lever(report, "tensor-parallel").state, AdviceState::kMakesFit);
  EXPECT_EQ(lever(report, "cache-fp8").state, AdviceState::kDoesNotFit);
  EXPECT_THAT(viewmodel::advice_view(report).answer, StartsWith("DOES NOT FIT: needs "));
}

TEST(Advise, ALeverThatDoesNotFitHasNoGainEither) {
  // 32 sequences of 8,192 tokens are 32 GiB; 64 are 64 GiB beside 15 GiB of weights on 73 GiB
  const AdviceReport report = advise_scenario(request("llama-3.1-8b", "h100", 8192, 1024, 32)).report;
  const Advice& batch = lever(report, "batch");
  EXPECT_EQ(batch.state, AdviceState::kDoesNotFit);
  EXPECT_FALSE(batch.gain.has_value());
}

TEST(Advise, EveryLeverOfTheListSaysSomething) {
  const AdviceReport report = advise_scenario(request("llama-3.1-8b", "a100-sxm-80gb", 4096, 256, 4)).report;
  std::set<std::string> ids;
  for (const Advice& advice : report.advice) {
    EXPECT_TRUE(ids.insert(advice.id).second) << advice.id;
    EXPECT_TRUE(advice.gain || advice.memory_bytes || !advice.reason.empty()) << advice.id;
    EXPECT_FALSE(advice.risk.empty()) << advice.id;
  }
  EXPECT_THAT(ids, testing::IsSupersetOf({"weights-fp8",    "weights-int8",   "weights-int4",    "cache-fp8",
                                          "cache-int8",     "cache-int4",     "flash-attention", "paged-blocks",
                                          "prefix-sharing", "sliding-window", "chunked-prefill", "swift-kv",
                                          "speculative",    "graphs",         "tensor-parallel", "pipeline-parallel",
                                          "offload",        "batch",          "smaller-model",   "shorter-prompt",
                                          "response-cache", "faster-device"}));
}

TEST(Advise, GainsComeFirstAndFall) {
  const AdviceReport report = advise_scenario(request("qwen3-8b", "l40s", 4096, 512, 4)).report;
  double last = 1e9;
  for (const Advice& advice : report.advice) {
    if (advice.state != AdviceState::kGain) continue;
    EXPECT_LE(advice.gain->value, last);
    EXPECT_LE(advice.gain->low, advice.gain->value);
    EXPECT_GE(advice.gain->high, advice.gain->value);
    last = advice.gain->value;
  }
  EXPECT_LT(last, 1e9);
}

TEST(Advise, CommandsNameTheChange) {
  const AdviceReport report = advise_scenario(request("llama-3.1-8b", "h100", 4096, 512, 2)).report;
  EXPECT_EQ(lever(report, "weights-fp8").command,
            "dachlast plan --model llama-3.1-8b --gpu h100 --context 4096 --batch 2 --dtype fp8");
  EXPECT_EQ(lever(report, "cache-fp8").engine_option, "--kv-cache-dtype fp8");
}

TEST(Advise, NarrowWeightsAreInUseAlready) {
  AdviceRequest narrow = request("llama-3.1-8b", "h100", 4096, 512, 2);
  narrow.scenario.weights = "awq";
  const AdviceReport report = advise_scenario(narrow).report;
  EXPECT_EQ(lever(report, "weights-int4").state, AdviceState::kInUse);
  EXPECT_EQ(lever(report, "weights-fp8").state, AdviceState::kInUse);  // eight bits are no narrower than four
}

TEST(Advise, WrongRequestsAreErrors) {
  EXPECT_THROW(advise_scenario(request("llama-3.1-8b", "", 4096, 512, 1)), Error);
  EXPECT_THROW(advise_scenario(request("llama-3.1-8b", "h100", 4096, 4096, 1)), Error);
  EXPECT_THROW(advise_scenario(request("llama-3.1-8b", "h100", 4096, 512, 0)), Error);
  EXPECT_THROW(advise_scenario(request("llama-3.1-8b", "h100", 1 << 30, 512, 1)), Error);
}

TEST(AdviceView, SaysWhatBindsWhatHelpsAndWhatIsWasted) {
  const viewmodel::AdviceView view =
      viewmodel::advice_view(advise_scenario(request("llama-3.1-8b", "h100", 2560, 512, 1)).report);
  EXPECT_THAT(view.answer, HasSubstr("is weight-bound at batch 1"));
  EXPECT_THAT(view.answer, HasSubstr("Most gained by settings: "));
  EXPECT_THAT(view.answer, HasSubstr("Wasted here: "));
  EXPECT_THAT(view.answer, HasSubstr("FP8 KV cache"));
  EXPECT_EQ(view.gains.rows.size(), view.worthwhile.size());
  EXPECT_EQ(view.levers.rows.size(), view.worthwhile.size() + view.wasted.size() + view.others.size());
}

}  // namespace
}  // namespace dachlast
