#include "core/planner/recommend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/planner/recommend_search.h"

namespace dachlast {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;

const EfficiencyCatalog& curves() {
  static const EfficiencyCatalog catalog(data_dir() / "efficiency");
  return catalog;
}

PlanScenario types(const char* model, const char* weights, const char* cache) {
  PlanScenario scenario;
  scenario.model = resolve_model(model).spec;
  scenario.weights = weight_format(weights, *storage_format("bf16"));
  scenario.cache = *cache_format(cache);
  scenario.engine = find_engine("vllm");
  return scenario;
}

RecommendQuestion question(const char* model, const std::vector<const char*>& devices, int concurrency) {
  RecommendQuestion asked;
  asked.types = {types(model, "bf16", "bf16"), types(model, "fp8", "fp8")};
  for (const char* device : devices) asked.devices.push_back(per_device(find_device(device)));
  asked.load = {.prompt_tokens = 1800, .output_tokens = 200, .n_sequences = concurrency};
  asked.max_devices = 4;
  return asked;
}

/// A candidate that qualifies with these figures, for the rules that choose among them.
Candidate made(int n_devices, double tpot_s, double tokens_s, double headroom = 0.5) {
  Candidate candidate;
  candidate.deployment.replicas = n_devices;
  candidate.standing = Standing::kQualifies;
  candidate.needed_bytes = 1.0 - headroom;
  candidate.budget_bytes = 1.0;
  candidate.speed = ServedSpeed{.ttft_s = {1.0, {}},
                                .tpot_s = SpeedFigure{tpot_s, {}},
                                .output_tokens_s = {tokens_s, {}},
                                .mean_batch = 1.0,
                                .origin = EfficiencyOrigin::kDevice};
  return candidate;
}

std::vector<std::size_t> chosen(const Recommendation& found) {
  std::vector<std::size_t> indices;
  for (const Option& option : found.options) indices.push_back(option.candidate);
  return indices;
}

/// What a search over a small grid must find whatever it leaves out.
void expect_same_answer(RecommendQuestion asked, const std::string& what) {
  SCOPED_TRACE(what);
  asked.depth = SearchDepth::kEverything;
  const Recommendation all = recommend(asked, curves());
  asked.depth = SearchDepth::kPruned;
  const Recommendation pruned = recommend(asked, curves());
  EXPECT_EQ(chosen(pruned), chosen(all));
  EXPECT_EQ(pruned.frontier, all.frontier);
  EXPECT_EQ(pruned.nearest_miss, all.nearest_miss);
  EXPECT_LE(pruned.n_timed, all.n_timed);
  for (std::size_t i = 0; i < std::min(pruned.options.size(), all.options.size()); ++i)
    EXPECT_EQ(pruned.options[i].advantages, all.options[i].advantages);
  for (std::size_t i = 0; i < all.candidates.size(); ++i)
    EXPECT_EQ(pruned.candidates[i].standing == Standing::kDoesNotFit,
              all.candidates[i].standing == Standing::kDoesNotFit);
}

TEST(Recommend, PrunedSearchEqualsBruteForce) {
  for (const int concurrency : {1, 6, 40}) {
    RecommendQuestion asked = question("llama-3.1-8b", {"h100-sxm", "l40s", "a100-sxm-80gb", "b200-sxm"}, concurrency);
    expect_same_answer(asked, "no limits");
    asked.tpot_limit_s = 12e-3;
    expect_same_answer(asked, "12 ms");
    asked.ttft_limit_s = 0.15;
    asked.prices = PriceList{"EUR", {{"h100-sxm", 3.0, "2026-01-01", "s"}, {"l40s", 1.0, "2026-01-01", "s"}}};
    expect_same_answer(asked, "two limits and prices");
    asked.tpot_limit_s = 1e-4;
    expect_same_answer(asked, "nothing is so fast");
  }
}

TEST(Recommend, PrunedSearchEqualsBruteForceForExperts) {
  RecommendQuestion asked = question("gpt-oss-20b", {"h100-sxm", "a100-sxm-40gb"}, 12);
  asked.types.pop_back();
  expect_same_answer(asked, "experts");
}

TEST(Recommend, EstimatesAreSlowerThanPlayedLoadsByAtMostTheirSlack) {
  for (const char* engine : {"vllm", "sglang", "tensorrt-llm"})
    for (const auto& [tp, pp] : {std::pair{1, 1}, {4, 1}, {2, 2}})
      for (const int concurrency : {1, 8, 32, 128})
        for (const auto& [prompt, output] : {std::pair{100, 400}, {1800, 200}, {7000, 1000}, {7500, 100}}) {
          PlanScenario plan = types("llama-3.1-8b", "fp8", "bf16");
          plan.engine = find_engine(engine);
          plan.device = find_device("h100-sxm");
          plan.layout = {.tensor_parallel = tp, .pipeline_parallel = pp};
          const MemoryPlanner planner(plan);
          const StepTimer timer(time_scenario_of(plan), curves());
          const ServedLoad load{prompt, output, concurrency};
          const SpeedEstimate estimate = estimate_speed(timer, serving_limits(planner), load);
          const ServingTime time = serving_time(timer, serving_load(load), serving_limits(planner));
          SCOPED_TRACE(testing::Message() << engine << " TP " << tp << " PP " << pp << ", " << concurrency << " × "
                                          << prompt << " + " << output);
          EXPECT_LT(estimate.latency_s / time.tpot_s, kEstimateSlack);
          EXPECT_GT(estimate.tokens_s / time.output_tokens_s, 1.0 / kEstimateSlack);
          EXPECT_LT(estimate.least_tpot_s / time.tpot_s, kEstimateSlack);
          EXPECT_LT(estimate.least_ttft_s / time.ttft_s, kEstimateSlack);
        }
}

/// The same layout with fewer sequences a copy holds less.
TEST(Recommend, MoreCopiesNeverLoseFeasibility) {
  RecommendQuestion asked = question("llama-3.1-8b", {"h100-sxm", "l4", "l40s"}, 64);
  asked.max_devices = 8;
  const Recommendation found = recommend(asked, curves());
  std::map<std::tuple<std::size_t, std::size_t, std::string>, Standing> fewer;
  int n_grown = 0;
  for (const Candidate& c : found.candidates) {
    const auto key = std::tuple(c.deployment.types, c.deployment.device, title_of(c.deployment.layout));
    const auto before = fewer.find(key);
    if (before != fewer.end() && before->second != Standing::kDoesNotFit) {
      EXPECT_NE(c.standing, Standing::kDoesNotFit) << std::get<2>(key) << " × " << c.deployment.replicas;
      ++n_grown;
    }
    fewer[key] = c.standing;
  }
  EXPECT_GT(n_grown, 20);
}

TEST(Recommend, TighterLimitsShrinkTheSet) {
  RecommendQuestion asked = question("llama-3.1-8b", {"h100-sxm", "l40s"}, 16);
  asked.depth = SearchDepth::kEverything;
  const auto qualifying = [&](std::optional<double> limit) {
    asked.tpot_limit_s = limit;
    std::vector<bool> set;
    for (const Candidate& c : recommend(asked, curves()).candidates) set.push_back(c.standing == Standing::kQualifies);
    return set;
  };
  std::vector<bool> wider = qualifying({});
  for (const double limit : {40e-3, 20e-3, 10e-3, 5e-3}) {
    const std::vector<bool> tighter = qualifying(limit);
    for (std::size_t i = 0; i < tighter.size(); ++i) EXPECT_LE(tighter[i], wider[i]) << limit << ", candidate " << i;
    wider = tighter;
  }
  EXPECT_LT(std::ranges::count(wider, true), std::ranges::count(qualifying({}), true));
}

TEST(Recommend, OnlyLayoutsTheModelCanBeCutIntoAreOffered) {
  const ModelSpec model = resolve_model("llama-3.1-8b").spec;  // 32 heads, 8 KV heads
  const LayoutChoices choices = layout_choices(model, "vllm", 8);
  EXPECT_EQ(choices.layouts.size(), 10U);  // TP × PP of 1, 2, 4, 8 up to 8 devices: 4 + 3 + 2 + 1
  EXPECT_THAT(
      choices.refused,
      Contains(testing::AllOf(Field(&RefusedLayout::subject, "TP 3"),
                              Field(&RefusedLayout::reason, HasSubstr("32 attention heads are not divisible by 3")))));
  for (const Layout& layout : choices.layouts) EXPECT_EQ(layout.attention_data_parallel, 1);
  for (const Layout& layout : layout_choices(model, "llama.cpp", 8).layouts) EXPECT_EQ(layout.tensor_parallel, 1);
}

TEST(Recommend, ExpertsMayBeKeptWhole) {
  const LayoutChoices choices = layout_choices(resolve_model("gpt-oss-20b").spec, "vllm", 4);
  EXPECT_TRUE(std::ranges::any_of(choices.layouts, [](const Layout& layout) {
    return layout.attention_data_parallel == 4 && layout.experts == ExpertPlacement::kWhole;
  }));
  for (const Layout& layout : choices.layouts) EXPECT_LE(layout.n_devices(), 4);
}

TEST(Recommend, WhatDoesNotFitHasNoSpeedAndSaysWhatIsMissing) {
  RecommendQuestion asked = question("llama-3.1-70b", {"l4"}, 1);
  asked.max_devices = 1;
  const Recommendation found = recommend(asked, curves());
  EXPECT_TRUE(found.options.empty());
  ASSERT_TRUE(found.nearest_miss.has_value());
  // FP8 weights lack less than BF16 ones: about 67 against 131 GiB on a device of 22.
  EXPECT_EQ(found.candidates[*found.nearest_miss].deployment.types, 1U);
  for (const Candidate& c : found.candidates) {
    EXPECT_EQ(c.standing, Standing::kDoesNotFit);
    EXPECT_FALSE(c.speed.has_value());
    EXPECT_THAT(c.reason, HasSubstr("short by "));
  }
}

TEST(Recommend, DevicesOfWhichNothingIsKnownAreNamedWithTheReason) {
  RecommendQuestion asked = question("llama-3.1-8b", {"mi300x", "epyc-9654", "m3-max"}, 1);
  asked.furthest = EfficiencyOrigin::kFamily;
  for (const Candidate& c : recommend(asked, curves()).candidates) {
    EXPECT_EQ(c.standing, Standing::kUnknown);
    EXPECT_FALSE(c.reason.empty());
  }
  asked.furthest = EfficiencyOrigin::kGeneric;
  const Recommendation named = recommend(asked, curves());
  ASSERT_FALSE(named.options.empty());
  const Candidate& best = named.candidates[named.options.front().candidate];
  EXPECT_EQ(asked.devices[best.deployment.device].id, "mi300x");
  EXPECT_EQ(best.speed->origin, EfficiencyOrigin::kGeneric);
}

TEST(Recommend, CostIsThePriceOfTheTimeAMillionTokensTake) {
  RecommendQuestion asked = question("llama-3.1-8b", {"h100-sxm"}, 8);
  asked.prices = PriceList{"EUR", {{"h100-sxm", 3.6, "2026-01-01", "offer"}, {"h100-sxm", 7.2, "2026-01-01", "other"}}};
  const Recommendation found = recommend(asked, curves());
  const Candidate& c = found.candidates[found.options.front().candidate];
  ASSERT_TRUE(c.cost_per_million.has_value());
  // 3.60 an hour is 0.001 a second; a million tokens take 10^6 / (tokens/s) seconds on each of n devices.
  EXPECT_NEAR(*c.cost_per_million, 1e3 * c.deployment.n_devices() / c.speed->output_tokens_s.value, 1e-9);
  EXPECT_THAT(found.options.front().advantages, Contains(Advantage::kLowestCost));
}

TEST(Recommend, CopiesShareTheRequests) {
  EXPECT_EQ(share_of_replica({.n_sequences = 10}, 4).n_sequences, 3);  // 3 + 3 + 2 + 2
  EXPECT_EQ(share_of_replica({.n_sequences = 3}, 8).n_sequences, 1);
}

TEST(ParetoFrontier, KeepsWhatNoOtherBeatsInBoth) {
  // Tokens/s a request: 100, 50, 50, 20; a device: 100/2, 120/1, 90/1, 110/1. The third is beaten by the second, the fourth too.
  const std::vector<Candidate> candidates = {made(2, 0.01, 100), made(1, 0.02, 120), made(1, 0.02, 90),
                                             made(1, 0.05, 110)};
  EXPECT_THAT(pareto_frontier(candidates), ElementsAre(0, 1));
}

TEST(ParetoFrontier, WhatMissesALimitIsNotOnIt) {
  std::vector<Candidate> candidates = {made(1, 0.01, 100), made(1, 0.02, 50)};
  candidates.front().standing = Standing::kMissesLimit;
  EXPECT_THAT(pareto_frontier(candidates), ElementsAre(1));
}

TEST(Options, EachAdvantageNamesItsBest) {
  std::vector<Candidate> candidates = {made(1, 0.03, 100, 0.1), made(2, 0.02, 240, 0.2), made(4, 0.01, 200, 0.6)};
  candidates[1].cost_per_million = 2.0;
  candidates[2].cost_per_million = 1.0;
  const std::vector<Option> options = options_among(candidates, 5);
  ASSERT_EQ(options.size(), 3U);
  EXPECT_THAT(options[0].advantages,
              ElementsAre(Advantage::kLowestCost, Advantage::kLowestLatency, Advantage::kMostHeadroom));
  EXPECT_EQ(options[0].candidate, 2U);
  EXPECT_EQ(options[1].candidate, 0U);
  EXPECT_THAT(options[1].advantages, ElementsAre(Advantage::kFewestDevices));
  EXPECT_EQ(options[2].candidate, 1U);  // 120 tokens/s a device against 100 and 50
  EXPECT_THAT(options[2].advantages, ElementsAre(Advantage::kHighestThroughput));
  EXPECT_EQ(options_among(candidates, 2).size(), 2U);
}

TEST(Options, AnIdleGiantHasNoHeadroomWorthNaming) {
  // The second is slower, yields less and takes more devices: its empty memory is no reason to offer it.
  const std::vector<Option> options = options_among({made(1, 0.01, 100, 0.1), made(2, 0.02, 50, 0.99)}, 5);
  ASSERT_EQ(options.size(), 1U);
  EXPECT_EQ(options.front().candidate, 0U);
}

TEST(Recommend, RefusesQuestionsWithoutAnAnswer) {
  RecommendQuestion asked = question("llama-3.1-8b", {"h100-sxm"}, 1);
  asked.tpot_limit_s = 0.0;
  EXPECT_THROW(recommend(asked, curves()), Error);
  asked.tpot_limit_s.reset();
  asked.max_devices = 0;
  EXPECT_THROW(recommend(asked, curves()), Error);
  asked.max_devices = 1;
  asked.devices.clear();
  EXPECT_THROW(recommend(asked, curves()), Error);
}

}  // namespace
}  // namespace dachlast
