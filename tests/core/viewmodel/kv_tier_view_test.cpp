#include <gtest/gtest.h>

#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

KvBreakEven comparison() {
  return {.tier = "file",
          .tier_text = "a file of 12 MiB, O_DIRECT",
          .n_layers = 16,
          .chunk_tokens = 256,
          .chunk_bytes = 524288,
          .per_layer_s = 1e-5,
          .per_chunk_s = 2e-4,
          .flops_per_token = 2e9,
          .flops_per_pair = 1e5,
          .flops_per_s = 4e11,
          .roof_share = 0.75,
          .rate_tokens = 4096,
          .fetch_faster_at = 300,
          .break_even_bytes_per_s = 3e8,
          .points = {{512, 496, 0.01, 0.02, 0.021, 0.3, 0.31}, {64, 48, 0.01, 0.02, 0.05, 0.03, 0.04}}};
}

bool holds(const std::string& text, std::string_view part) {
  return plain_spaces(text).find(part) != std::string::npos;
}

TEST(KvTierView, ARunWithOneTierSaysNothing) {
  EXPECT_EQ(kv_traffic_table(test::sample_run()), std::nullopt);
  const RunView view = run_view(test::sample_run());
  EXPECT_FALSE(view.break_even || view.what_if);
}

TEST(KvTierView, TrafficIsPerStep) {
  auto run = test::sample_run();
  // 10 steps of 5,000 B and 2 ms of waiting.
  run.points.back().kv_traffic = KvTrafficPerStep{{.read_bytes = 50000, .read_s = 0.001, .waited_s = 0.02}, 10};
  const auto table = kv_traffic_table(run);
  ASSERT_TRUE(table.has_value());
  ASSERT_EQ(table->rows.size(), 1u);
  EXPECT_EQ(std::get<double>(table->rows[0][1].raw), 5000.0);
  EXPECT_EQ(std::get<double>(table->rows[0][3].raw), 0.002);
  EXPECT_EQ(std::get<double>(table->rows[0][5].raw), 5e7);  // 50,000 B in 1 ms
}

TEST(KvTierView, TheDecisionStandsBesideItsThreeFactors) {
  const std::string text = break_even_sentence(comparison());
  EXPECT_TRUE(holds(text, "fetching is faster than recomputing from 300 tokens on")) << text;
  for (const char* factor : {"10.0 µs a layer", "200 µs a chunk", "2.00 GFLOP a token", "400 GFLOP/s", "256 tokens"})
    EXPECT_TRUE(holds(text, factor)) << factor << " in: " << text;
  KvBreakEven never = comparison();
  never.fetch_faster_at.reset();
  EXPECT_TRUE(holds(break_even_sentence(never), "recomputing is faster than fetching")) << break_even_sentence(never);
}

TEST(KvTierView, SaysWhereThePredictionWasWrong) {
  const Table table = break_even_table(comparison());
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].back().text, "fetching, as predicted");               // 21 ms against 310 ms
  EXPECT_EQ(table.rows[1].back().text, "recomputing, against the prediction");  // 40 ms against 50, predicted 30 and 20
}

TEST(WhatIfView, ComesBeforeEveryFigure) {
  auto run = test::sample_run();
  run.what_if = WhatIfRun{.text = "swiftkv:3", .points = {{Phase::kPrefill, 512, 1, 0.5, 0.25, 4096, 2048}}};
  const RunView view = run_view(run);
  EXPECT_TRUE(holds(view.answer.front(), "outputs are not the model's")) << view.answer.front();
  ASSERT_TRUE(view.what_if.has_value());
  EXPECT_EQ(std::get<double>(view.what_if->rows[0][3].raw), 2.0);  // 0.5 s / 0.25 s
}

}  // namespace
}  // namespace dachlast::viewmodel
