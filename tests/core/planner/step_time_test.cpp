#include "core/planner/step_time.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/planner/serving_time.h"

namespace dachlast {
namespace {

const EfficiencyCatalog& curves() {
  static const EfficiencyCatalog catalog(data_dir() / "efficiency");
  return catalog;
}

TimeScenario scenario(const char* model, const char* device) {
  return {.model = resolve_model(model).spec,
          .weights = plain_weights(*storage_format("bf16")),
          .cache = *cache_format("bf16"),
          .device = find_device(device),
          .layout = {},
          .engine = find_engine("vllm")};
}

constexpr StepLoad kOneSequence{.decode_sequences = 1, .decode_kv = 1000};

TEST(Speculation, TokensAPassAreASumOfPowers) {
  // 1 + 0.5 + 0.25 + 0.125
  EXPECT_DOUBLE_EQ(tokens_per_pass({.draft_tokens = 3, .acceptance = 0.5}), 1.875);
  EXPECT_DOUBLE_EQ(tokens_per_pass({.draft_tokens = 3, .acceptance = 1.0}), 4.0);
  EXPECT_DOUBLE_EQ(tokens_per_pass({.draft_tokens = 0, .acceptance = 0.9}), 1.0);
}

TEST(Speculation, RefusesWhatIsNoShareOrNoCount) {
  EXPECT_THROW(tokens_per_pass({.draft_tokens = 3, .acceptance = 1.1}), Error);
  EXPECT_THROW(tokens_per_pass({.draft_tokens = -1, .acceptance = 0.5}), Error);
  EXPECT_THROW(tokens_per_pass({.draft_tokens = 65, .acceptance = 0.5}), Error);
}

TEST(Speculation, CheckingDraftsCostsLittleWhereWeightsAreTheTraffic) {
  TimeScenario drafting = scenario("llama-3.1-8b", "h100-sxm");
  const double plain = StepTimer(drafting, curves()).seconds(kOneSequence);
  drafting.speculation = Speculation{.draft_tokens = 3, .acceptance = 0.7, .draft_share = 0.0};
  const StepTimer timer(drafting, curves());
  EXPECT_DOUBLE_EQ(timer.tokens_per_pass(), 1 + 0.7 + 0.49 + 0.343);
  EXPECT_GE(timer.seconds(kOneSequence), plain);
  EXPECT_LT(timer.seconds(kOneSequence), 1.05 * plain);  // 4 rows instead of 1 read the same weights
}

TEST(Speculation, DraftingCostsItsShareOfAPlainPass) {
  TimeScenario drafting = scenario("llama-3.1-8b", "h100-sxm");
  drafting.engine.speed.step_us = drafting.engine.speed.sequence_us = 0.0;
  const double plain = StepTimer(drafting, curves()).seconds(kOneSequence);
  drafting.speculation = Speculation{.draft_tokens = 2, .acceptance = 0.7, .draft_share = 0.0};
  const double checked = StepTimer(drafting, curves()).seconds(kOneSequence);
  drafting.speculation->draft_share = 0.1;
  EXPECT_NEAR(StepTimer(drafting, curves()).seconds(kOneSequence), checked + 2 * 0.1 * plain, 1e-12);
}

TEST(Offload, NoPassIsFasterThanTheLink) {
  TimeScenario half = scenario("llama-3.1-8b", "h100-sxm");
  half.offload = HostOffload{.weight_share = 0.5, .bytes_per_s = 50e9};
  // 8.03 B parameters · 2 B · 0.5 over 50 GB/s = 160.6 ms, beside kernels of some 6 ms
  EXPECT_NEAR(StepTimer(half, curves()).seconds(kOneSequence), 0.1606, 0.003);
}

TEST(Offload, CacheCrossesTheLinkWithEveryPass) {
  TimeScenario host = scenario("llama-3.1-8b", "h100-sxm");
  host.engine.speed.step_us = host.engine.speed.sequence_us = 0.0;
  host.offload = HostOffload{.cache_share = 1.0, .bytes_per_s = 10e9};
  // 131,072 B a token (2 · 32 layers · 8 heads · 128 · 2 B) · 8 sequences · 10,000 tokens over 10 GB/s = 1.049 s
  EXPECT_NEAR(StepTimer(host, curves()).seconds({.decode_sequences = 8, .decode_kv = 10000}), 1.0486, 0.001);
}

TEST(Offload, AnUnknownLinkIsAnError) {
  TimeScenario half = scenario("llama-3.1-8b", "h100-sxm");
  half.device.host_link.reset();
  half.offload = HostOffload{.weight_share = 0.5};
  EXPECT_THROW(StepTimer(half, curves()), Error);
}

TEST(Launching, EagerPassesTakeAtLeastTheirLaunches) {
  TimeScenario eager = scenario("qwen2.5-0.5b", "h100-sxm");
  eager.engine.speed.launch_us = 12.0;
  const double captured = StepTimer(eager, curves()).seconds(kOneSequence);
  eager.launching = Launching::kEager;
  const double one_by_one = StepTimer(eager, curves()).seconds(kOneSequence);
  EXPECT_GT(one_by_one, captured);
  // 24 layers of at least 8 kernels of 12 us each
  EXPECT_GT(one_by_one, 24 * 8 * 12e-6);
}

TEST(PrefixHits, SkipTheirShareOfThePrompt) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  ServingLoad load{.input_tokens = 8000, .output_tokens = 2, .arrival = Arrival::kStatic};
  const ServingTime cold = serving_time(timer, load, {});
  load.prefix_hit_share = 0.9;
  const ServingTime warm = serving_time(timer, load, {});
  const double request = 1e-6 * timer.scenario().engine.speed.request_us;
  // A tenth of the products, and attention of 800 tokens to 8,000: well under a third of the work.
  EXPECT_LT(warm.ttft_s - request, 0.33 * (cold.ttft_s - request));
  EXPECT_GT(warm.ttft_s - request, 0.08 * (cold.ttft_s - request));
}

TEST(PrefixHits, AWholePromptInTheCacheStillReadsItsLastToken) {
  const StepTimer timer(scenario("llama-3.1-8b", "h100-sxm"), curves());
  const ServingLoad load{.input_tokens = 1000, .output_tokens = 10, .n_clients = 2, .prefix_hit_share = 1.0};
  const ServingTime time = serving_time(timer, load, {});
  EXPECT_GT(time.ttft_s, timer.seconds({.prefill_sequences = 1, .prefill_tokens = 1, .prefill_kv = 1000}));
}

}  // namespace
}  // namespace dachlast
