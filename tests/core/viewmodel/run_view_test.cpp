#include "core/viewmodel/run_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/viewmodel/compare_view.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/privacy.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

TEST(RunView, AnswersDecodeFirstAndNamesTheEvidence) {
  const auto sentences = answer_sentences(test::sample_run());
  ASSERT_EQ(sentences.size(), 2u);
  EXPECT_TRUE(sentences[0].starts_with("Decode is memory-bound: ")) << sentences[0];
  EXPECT_NE(plain_spaces(sentences[0]).find("of step time is spent at 60 % or more of memory bandwidth."),
            std::string::npos)
      << sentences[0];
  EXPECT_TRUE(sentences[1].starts_with("Prefill is compute-bound: ")) << sentences[1];
}

TEST(RunView, NeverMoreThanFiveFigures) {
  const auto view = run_view(test::sample_run());
  EXPECT_EQ(view.key_figures.size(), 5u);
  EXPECT_EQ(view.key_figures[0].label, "Decode step");
}

TEST(RunView, SharesOfAnOperationTableAddUpToTheStep) {
  const auto run = test::sample_run();
  for (const auto& point : summaries_of(run)) {
    const Table table = op_table(point);
    const auto share = std::ranges::find(table.columns, "share", &Column::key) - table.columns.begin();
    double sum = 0.0;
    for (const auto& row : table.rows) sum += std::get<double>(row[static_cast<std::size_t>(share)].raw);
    // The step is the median of its samples, the operations are medians of their own: they agree within the samples'
    // spread.
    EXPECT_NEAR(sum, 1.0, 0.02) << table.title;
  }
}

TEST(RunView, EveryRowHasEveryColumn) {
  const auto view = run_view(test::sample_run(), test::sample_memory());
  std::vector<const Table*> tables = {&view.phases,        &view.configuration, &view.bandwidth_roofs,
                                      &view.compute_roofs, &*view.memory,       &*view.cache_speedup};
  for (const auto& point : view.ops) tables.push_back(&point.table);
  for (const Table* table : tables)
    for (const auto& row : table->rows) EXPECT_EQ(row.size(), table->columns.size()) << table->id;
}

TEST(RunView, PrefillAtADepthCountsWhatItReads) {
  auto run = test::sample_run();
  for (MeasuredPoint& point : run.points)
    if (point.phase == Phase::kPrefill) point.depth_tokens = point.context_tokens / 4;
  for (const PointSummary& point : summaries_of(run)) {
    if (point.phase != Phase::kPrefill) continue;
    EXPECT_NEAR(point.tokens_per_s * point.time_s.median, 0.75 * point.context_tokens * point.batch_size, 1e-6);
    EXPECT_NE(point_heading(point).find(" of "), std::string::npos) << point_heading(point);
  }
  EXPECT_TRUE(std::ranges::any_of(phase_table(run).columns, [](const Column& c) { return c.key == "depth_tokens"; }));
}

TEST(RunView, PartialRunsSaySo) {
  auto run = test::sample_run();
  run.points.pop_back();
  run.complete = false;
  EXPECT_EQ(run_view(run).status, "partial (3 of 4 points)");
}

TEST(RunView, DisturbedMeasurementIsTheBiggestRisk) {
  const auto view = run_view(test::sample_run());
  EXPECT_NE(view.biggest_risk.find("Clock varied"), std::string::npos) << view.biggest_risk;
  EXPECT_EQ(view.warnings.size(), 2u);
}

TEST(RunView, FindingsAreSortedByWhatTheySave) {
  const auto view = run_view(test::sample_run());
  EXPECT_LE(view.findings.size(), 5u);
  EXPECT_FALSE(view.findings.empty());
}

TEST(CacheSpeedupTable, ShowsRoundCountsAndTheLast) {
  const auto run = test::sample_run();
  const Table table = cache_speedup_table(*run.uncached);
  ASSERT_EQ(table.rows.size(), 8u);  // 1, 2, 5, 10, 20, 50, 100, 200
  EXPECT_EQ(table.rows.back()[0].text, "200");
  EXPECT_NE(speedup_sentence(run).find("5×"), std::string::npos);
}

TEST(MemoryTable, AddsUpAndRoundsUp) {
  const Table table = memory_table(test::sample_memory());
  // 497,759,232 + 37,748,736 + 16.1 · 2^20 = 552,389,836 bytes = 0.5145 GiB.
  EXPECT_EQ(table.rows.back()[1].text, "0.52");
  EXPECT_EQ(table.columns[1].unit, "GiB");
}

TEST(CompareView, SaysSlowerWithChangeAndNoise) {
  const auto base = test::sample_run();
  auto other = base;
  for (auto& point : other.points)
    if (point.phase == Phase::kDecode)
      for (auto& sample : point.samples_s) sample *= 1.25;
  const auto view = compare_view(base, other, compare_runs(base, other));
  EXPECT_TRUE(view.answer.starts_with("SLOWER: ")) << view.answer;
  EXPECT_NE(plain_spaces(view.answer).find("decode +25 %"), std::string::npos) << view.answer;
  EXPECT_NE(view.answer.find("prefill within noise"), std::string::npos) << view.answer;
}

TEST(Privacy, FoldersLeaveCommandLines) {
  EXPECT_EQ(without_folders("dachlast run --model /home/a/llama -o ./x.dachlast"),
            "dachlast run --model llama -o x.dachlast");
  EXPECT_EQ(without_folders("dachlast run --model='/home/a b/llama 2/' --dtype f32"),
            "dachlast run --model='llama 2' --dtype f32");
  EXPECT_EQ(without_folders("dachlast run --model org/name"), "dachlast run --model org/name");
}

}  // namespace
}  // namespace dachlast::viewmodel
