#include "core/viewmodel/recording_view.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/model_source.h"
#include "core/profile/trace_range.h"
#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

const std::string kHalf = "c10::BFloat16";

/// Round figures: 100 TFLOP/s over 2 TB/s.
ProfileViewOptions round_options() {
  ProfileViewOptions options;
  options.device.emplace();
  options.device->name = "Round";
  options.device->memory.emplace_back().bandwidth = BytesPerSecond{2e12};
  options.device->peaks = {{ComputeType::kBf16, FlopsPerSecond{100e12}}};
  return options;
}

/// Two products of 1000 x 1000 by 1000 x 1000: 2e9 FLOP and 6e6 B each, in 40 and 50 us with 10 us between them.
GpuTrace two_products() {
  GpuTrace trace;
  trace.format = "Made by hand";
  trace.names = {"aten::mm", "sm90_gemm"};
  trace.operands = {{{{1000, 1000}, {1000, 1000}}, {kHalf, kHalf}, {}}};
  trace.host_ops = {{0, kNoIndex, 0}, {0, kNoIndex, 0}};
  trace.events.resize(2);
  trace.events[0].start_ns = 5'000;
  trace.events[0].end_ns = 45'000;
  trace.events[1].start_ns = 55'000;
  trace.events[1].end_ns = 105'000;
  for (std::size_t i = 0; i < 2; ++i) {
    trace.events[i].name = 1;
    trace.events[i].host_op = static_cast<std::int32_t>(i);
  }
  return trace;
}

class Recording : public ::testing::Test {
 protected:
  RecordingView whole() { return recording_view(summarize(two_products(), rules_), round_options()); }
  RecordingView part(std::int64_t from_ns, std::int64_t to_ns) {
    return recording_view(summarize(two_products(), rules_, TraceRange{from_ns, to_ns}), round_options());
  }
  NameRules rules_{data_dir() / "rules"};
};

double table_number(const Table& table, std::size_t row, const std::string& key) {
  const auto column = std::ranges::find(table.columns, key, &Column::key) - table.columns.begin();
  const RawValue& raw = table.rows.at(row).at(static_cast<std::size_t>(column)).raw;
  return std::holds_alternative<double>(raw) ? std::get<double>(raw) : static_cast<double>(std::get<std::int64_t>(raw));
}

TEST_F(Recording, OperatorsWithShapesStandUnderTheListedRoofs) {
  const RecordingView view = whole();
  const auto roofline = recording_roofline(view.profile, view.options);
  ASSERT_TRUE(roofline);
  ASSERT_EQ(roofline->plot.points.size(), 1U);
  const RooflinePoint& point = roofline->plot.points[0];
  EXPECT_DOUBLE_EQ(point.intensity, 2e9 / 6e6);
  EXPECT_NEAR(point.flops_per_s, 2 * 2e9 / 90e-6, 1.0);  // 44.4 TFLOP/s of 100
  EXPECT_EQ(plain_spaces(roofline->plot.memory_roofs.at(0).label), "DRAM 2.00 TB/s datasheet");
  EXPECT_EQ(plain_spaces(roofline->plot.compute_roofs.at(0).label), "BF16 100 TFLOP/s datasheet");
  EXPECT_EQ(roofline->table.rows.size(), 1U);
  EXPECT_EQ(table_number(roofline->table, 0, "number"), 1.0);
  EXPECT_NE(plain_spaces(point.facts).find("90.0 µs, 2 calls"), std::string::npos) << point.facts;
  EXPECT_NE(plain_spaces(point.facts).find("44 % of the BF16 roof"), std::string::npos) << point.facts;
}

TEST_F(Recording, TheChartNamesNoPhaseThatNobodyRecorded) {
  const RecordingView view = whole();
  const figure::Figure chart = roofline_figure(recording_roofline(view.profile, view.options)->plot, {900, 500}, "r");
  std::vector<std::string> texts;
  for (const auto& primitive : chart.primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) texts.push_back(text->text);
  EXPECT_EQ(std::ranges::count(texts, "matrix products"), 1);
  EXPECT_EQ(std::ranges::count(texts, "prefill"), 0);
  EXPECT_EQ(chart.description.find("prefill"), std::string::npos);
}

TEST_F(Recording, ARangeHoldsItsKernelsAlone) {
  const RecordingView view = part(0, 75'000);
  // The first product whole, 20 us of the second: its rate is that of the first alone, 2e9 FLOP in 40 us.
  ASSERT_EQ(view.kernels.table.rows.size(), 1U);
  EXPECT_NEAR(table_number(view.kernels.table, 0, "time_s"), 60e-6, 1e-12);
  EXPECT_EQ(view.kernels.datums, std::vector<std::string>{"kernel sm90_gemm"});
  EXPECT_NEAR(view.kernels.times_s.at(0), 60e-6, 1e-12);
  EXPECT_EQ(plain_spaces(view.summary.answer.at(0)),
            "GPU 0 was busy 80 % of 75.0 µs: 60.0 µs in kernels, 15.0 µs idle.");
  const auto roofline = recording_roofline(view.profile, view.options);
  ASSERT_TRUE(roofline);
  ASSERT_EQ(roofline->plot.points.size(), 1U);
  EXPECT_NEAR(roofline->plot.points[0].flops_per_s, 2e9 / 40e-6, 1.0);
}

TEST_F(Recording, ARangeWithoutOperatorsKeepsTheFrame) {
  const RecordingView all = whole();
  const RecordingView gap = part(46'000, 54'000);
  const auto full = recording_roofline(all.profile, all.options);
  const auto empty = recording_roofline(gap.profile, gap.options);
  ASSERT_TRUE(full && empty);
  EXPECT_TRUE(empty->plot.points.empty());
  EXPECT_EQ(empty->plot.x.lo, full->plot.x.lo);
  EXPECT_EQ(empty->plot.y.hi, full->plot.y.hi);
  EXPECT_FALSE(roofline_figure(empty->plot, {900, 500}, "r").primitives.empty());
  EXPECT_TRUE(gap.kernels.table.rows.empty());
}

TEST_F(Recording, SaysWhyThereIsNoRoofline) {
  RecordingView view = whole();
  EXPECT_EQ(why_no_roofline(view.profile, view.options), "");
  EXPECT_NE(why_no_roofline(view.profile, {}).find("names no GPU"), std::string::npos);
  view.profile.ops.clear();
  EXPECT_NE(why_no_roofline(view.profile, view.options).find("record_shapes=True"), std::string::npos);
}

TEST_F(Recording, CoverageLeavesOutTheShortest) {
  GpuTrace trace = two_products();
  trace.operands.push_back({{{10, 1000}, {1000, 1000}}, {kHalf, kHalf}, {}});
  trace.host_ops[0].operands = 1;  // 40 us of 90 are 44 %
  const GpuProfile profile = summarize(trace, rules_);
  EXPECT_EQ(recording_roofline(profile, round_options(), 0.95)->plot.points.size(), 2U);
  const auto half = recording_roofline(profile, round_options(), 0.5);
  EXPECT_EQ(half->plot.points.size(), 1U);
  EXPECT_EQ(half->plot.n_left_out, 1);
  EXPECT_EQ(half->table.notes.back(), "Shorter operators left out: 1. The slider brings them back.");
}

}  // namespace
}  // namespace dachlast::viewmodel
