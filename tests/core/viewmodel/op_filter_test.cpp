#include "core/viewmodel/op_filter.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/viewmodel/inspection.h"
#include "core/viewmodel/selection.h"
#include "tests/support/sample_run.h"

namespace dachlast::viewmodel {
namespace {

constexpr double kEverything = std::numeric_limits<double>::max();

TEST(OpFilter, LetsThroughWhatAllFiltersName) {
  const OpFilter one{"a", "", {"decode/attention", "decode/norm"}};
  const OpFilter two{"b", "", {"decode/attention"}};
  const OpFilter filters[] = {one, two};
  EXPECT_TRUE(passes(filters, "decode/attention"));
  EXPECT_FALSE(passes(filters, "decode/norm"));
  EXPECT_TRUE(passes({}, "prefill/anything"));
}

TEST(OpFilter, APhaseKeepsItsOperationsAlone) {
  const auto run = test::sample_run();
  const OpFilter decode = phase_filter(run, Phase::kDecode);
  EXPECT_TRUE(passes({&decode, 1}, "decode/sample"));
  EXPECT_FALSE(passes({&decode, 1}, "prefill/attention"));
}

TEST(OpFilter, ABoxOfTheRooflineTakesThePointsInIt) {
  const RooflinePlot plot = roofline_plot(test::sample_run());
  EXPECT_EQ(datums_in(plot, {0.0, kEverything}, {0.0, kEverything}).size(), plot.points.size());
  const RooflinePoint& point = plot.points.front();
  const auto alone = datums_in(plot, {point.intensity, point.intensity}, {point.flops_per_s, point.flops_per_s});
  EXPECT_EQ(alone, std::vector<std::string>{point.datum});
}

TEST(OpFilter, AFilteredPlotKeepsNumbersAndFrame) {
  const RooflinePlot plot = roofline_plot(test::sample_run());
  const OpFilter filter{"f", "", {plot.points.back().datum}};
  const RooflinePlot kept = filtered(plot, {&filter, 1});
  ASSERT_EQ(kept.points.size(), 1u);
  EXPECT_EQ(kept.points.front().number, plot.points.back().number);
  EXPECT_DOUBLE_EQ(kept.x.hi, plot.x.hi);
}

TEST(OperationRows, ListEveryOperationOfEveryPoint) {
  // Two decode points of twelve operations, two prefill points of ten (sample_run).
  const OperationRows rows = operation_rows(test::sample_run());
  EXPECT_EQ(rows.table.rows.size(), 2u * 12u + 2u * 10u);
  EXPECT_EQ(rows.datums.size(), rows.table.rows.size());
}

TEST(DurationStatistics, AreTheOnesOfTextbooks) {
  // 1 … 5 s: sum 15, mean and median 3, standard deviation sqrt(10 / 4) = 1.5811.
  const double seconds[] = {5.0, 1.0, 4.0, 2.0, 3.0};
  const auto row = duration_statistics(seconds).rows.front();
  EXPECT_EQ(std::get<std::int64_t>(row[0].raw), 5);
  EXPECT_DOUBLE_EQ(std::get<double>(row[1].raw), 15.0);
  EXPECT_DOUBLE_EQ(std::get<double>(row[2].raw), 1.0);
  EXPECT_DOUBLE_EQ(std::get<double>(row[3].raw), 3.0);
  EXPECT_DOUBLE_EQ(std::get<double>(row[4].raw), 3.0);
  EXPECT_DOUBLE_EQ(std::get<double>(row[6].raw), 5.0);
  EXPECT_NEAR(std::get<double>(row[7].raw), 1.5811, 1e-4);
}

TEST(OperationRows, TellTheStatisticsOfSomeOfThem) {
  const OperationRows rows = operation_rows(test::sample_run());
  const int chosen[] = {0, 2, 9999};  // the last one is none
  const auto statistics = operation_statistics(rows, chosen).rows.front();
  EXPECT_EQ(std::get<std::int64_t>(statistics[0].raw), 2);
  EXPECT_DOUBLE_EQ(std::get<double>(statistics[1].raw), rows.times_s[0] + rows.times_s[2]);
}

TEST(Inspection, SaysWhatTheTableOfThePhaseSays) {
  const auto inspection = inspect(test::sample_run(), "decode/attention");
  ASSERT_TRUE(inspection);
  EXPECT_EQ(inspection->title, "attention");
  EXPECT_NE(inspection->where.find("Decode"), std::string::npos);
  EXPECT_FALSE(inspection->verdict.empty());
  EXPECT_GE(inspection->figures.rows.size(), 8u);
}

TEST(Inspection, KnowsNoOperationTheRunLacks) {
  EXPECT_FALSE(inspect(test::sample_run(), "decode/router"));
  EXPECT_FALSE(inspect(test::sample_run(), ""));
  EXPECT_FALSE(inspect(dachlast::Run{}, "decode/attention"));
}

}  // namespace
}  // namespace dachlast::viewmodel
