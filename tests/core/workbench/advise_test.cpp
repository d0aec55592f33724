#include "core/workbench/advise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/base/error.h"
#include "core/hardware/host.h"
#include "core/store/roof_store.h"
#include "core/viewmodel/advice_view.h"
#include "tests/core/model/temp_folder.h"
#include "tests/core/planner/made_up_curves.h"

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

// 28,672 + 4,096 tokens · 320 KiB = 10 GiB of cache and 131.4 GiB of weights: halves leave no room beside activations on
// 73.3 GiB, quarters (35.4 GiB) do.
TEST(Advise, WhatDoesNotFitIsSpreadUntilItDoes) {
  const AdviceReport report = advise_scenario(request("llama-3.1-70b", "h100-sxm-80gb", 32768, 4096, 1)).report;
  const Advice& tensor = lever(report, "tensor-parallel");
  EXPECT_EQ(tensor.state, AdviceState::kMakesFit);
  EXPECT_EQ(tensor.title, "TP 4");
  EXPECT_EQ(tensor.configuration.layout.tensor_parallel, 4);
  ASSERT_TRUE(tensor.tpot_s.has_value());  // ranks that read weights together beat stages that take turns
  EXPECT_LT(*tensor.tpot_s, *lever(report, "pipeline-parallel").tpot_s);
}

TEST(Advise, ThatIsTriedFirstWhichChangesAnswersLeast) {
  const AdviceReport report = advise_scenario(request("llama-3.1-70b", "h100-sxm-80gb", 32768, 4096, 1)).report;
  std::vector<LeverKind> kinds;
  for (const Advice& advice : report.advice)
    if (advice.state == AdviceState::kMakesFit) kinds.push_back(advice.kind);
  ASSERT_GE(kinds.size(), 3U);
  EXPECT_EQ(kinds.front(), LeverKind::kSetting);
  EXPECT_EQ(kinds.back(), LeverKind::kModel);
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

/// Stored data of tests stay apart from the user's.
class AdviseHere : public testing::Test {
 protected:
  AdviseHere() { setenv("XDG_DATA_HOME", folder_.path().c_str(), 1); }
  ~AdviseHere() override { unsetenv("XDG_DATA_HOME"); }

  static void calibrate() {
    HostCurves curves = made_up_curves({"f32", "bf16", "int8", "int4:32"});
    curves.host_id = host_id();
    curves.n_threads = static_cast<int>(read_host_topology().core_ids.size());
    RoofStore().save(curves);
  }

 private:
  TempFolder folder_;
};

TEST_F(AdviseHere, WithoutCurvesItSaysHowToGetThem) {
  const ScenarioAdvice advice = advise_scenario(request("gpt2", "this-machine", 512, 64, 1));
  EXPECT_TRUE(advice.report.fits);
  EXPECT_FALSE(advice.report.time.has_value());
  EXPECT_THAT(advice.report.no_time, HasSubstr("dachlast calibrate"));
  for (const Advice& one : advice.report.advice) EXPECT_FALSE(one.gain.has_value()) << one.id;
  const viewmodel::AdviceView view = viewmodel::advice_view(advice.report);
  EXPECT_THAT(view.answer, HasSubstr(advice.report.no_time));
  for (const viewmodel::AdviceLine& line : view.others) EXPECT_NE(line.reason, advice.report.no_time) << line.head;
}

TEST_F(AdviseHere, TheCurvesOfThisComputerPredictItsEngine) {
  calibrate();
  AdviceRequest asked = request("gpt2", "cpu", 512, 64, 1);
  asked.scenario.cache = "f32";
  const AdviceReport report = advise_scenario(asked).report;
  ASSERT_TRUE(report.time.has_value());
  EXPECT_EQ(report.engine_name, "Dachlast");
  // Every type has the same made-up law, so that narrower weights free memory and gain nothing.
  EXPECT_NEAR(gain(report, "weights-int8"), 0.0, 1e-9);
  EXPECT_LT(*lever(report, "weights-int8").memory_bytes, -200e6);  // 124 M parameters, three bytes less each
  EXPECT_GT(gain(report, "shorter-prompt"), 0.3);
}

TEST_F(AdviseHere, CurvesComeBackFromTheStoreAsTheyWere) {
  calibrate();
  const HostCurves made = made_up_curves({"f32", "bf16", "int8", "int4:32"});
  const auto back = RoofStore().curves(host_id(), static_cast<int>(read_host_topology().core_ids.size()));
  ASSERT_TRUE(back.has_value());
  ASSERT_EQ(back->samples.size(), made.samples.size());
  for (std::size_t i = 0; i < made.samples.size(); ++i) {
    EXPECT_EQ(back->samples[i].features, made.samples[i].features);
    EXPECT_EQ(back->samples[i].level, made.samples[i].level);
    EXPECT_DOUBLE_EQ(back->samples[i].seconds, made.samples[i].seconds);
  }
  EXPECT_DOUBLE_EQ(back->gap_s, made.gap_s);
  EXPECT_FALSE(RoofStore().curves("another", 2).has_value());
}

TEST_F(AdviseHere, ARunOfAnotherComputerIsRefused) {
  dachlast::Run run;
  run.model.name = "gpt2";
  run.roofs.host_id = "elsewhere";
  EXPECT_THROW(advise_run(run), Error);
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
