#include "core/viewmodel/timeline.h"

#include <gtest/gtest.h>

#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

trace::Span span_of(trace::ZoneKind zone, std::int64_t start_ns, std::int64_t end_ns, OpKind op, int layer) {
  trace::Span span;
  span.zone = zone;
  span.phase = Phase::kDecode;
  span.op = op;
  span.start_ns = start_ns;
  span.end_ns = end_ns;
  span.layer = layer;
  return span;
}

/// A step of 1000 ns with three operations in two layers: 900 ns inside operations, 100 ns in gaps; it begins at 5000.
std::vector<trace::Span> one_step() {
  return {span_of(trace::ZoneKind::kOp, 5000, 5300, OpKind::kAttention, 0),
          span_of(trace::ZoneKind::kOp, 5300, 5500, OpKind::kMlpUp, 0),
          span_of(trace::ZoneKind::kOp, 5550, 5950, OpKind::kAttention, 1),
          span_of(trace::ZoneKind::kStep, 5000, 6000, OpKind::kEmbed, -1)};
}

Timeline one_step_timeline() {
  const std::vector<trace::Span> spans = one_step();
  const RecordedPoint point{"Decode, 8 tokens, batch 1", Phase::kDecode, 30, spans};
  return make_timeline({&point, 1});
}

TEST(Timeline, BeginsAtZeroAndSortsRows) {
  const Timeline timeline = one_step_timeline();
  ASSERT_EQ(timeline.steps.size(), 1);
  EXPECT_EQ(timeline.steps.start_ns(0), 0);
  EXPECT_EQ(timeline.end_ns, 1000);
  EXPECT_EQ(timeline.ops.size(), 3);
  EXPECT_EQ(timeline.points.front().n_steps, 1);
  EXPECT_EQ(timeline.points.front().n_steps_measured, 30);
}

TEST(Timeline, LayersJoinTheirOperations) {
  const Timeline timeline = one_step_timeline();
  ASSERT_EQ(timeline.layers.size(), 2);
  EXPECT_EQ(timeline.layers.start_ns(0), 0);
  EXPECT_EQ(timeline.layers.end_ns(0), 500);
  EXPECT_EQ(timeline.layer_numbers[1], 1);
  EXPECT_EQ(timeline.layers.kind(0), static_cast<int>(OpFamily::kAttention));  // 300 ns of 500
}

TEST(Timeline, BusyTimeOfAnyRangeIsExact) {
  TimelineRow row;
  // 200 events of 3 ns every 10 ns, kinds in turn: sums cross the blocks of 64.
  for (int i = 0; i < 200; ++i) row.add(10 * i, 10 * i + 3, i % 2);
  const TimelineRow::Busy busy = row.busy(10, 170);
  EXPECT_EQ(busy[0], 80 * 3);
  EXPECT_EQ(busy[1], 80 * 3);
  // From the middle of event 10 (101) to the middle of event 20 (202): 2 ns, nine whole ones, 2 ns.
  EXPECT_EQ(row.busy_between(101, 202), 2 + 9 * 3 + 2);
  EXPECT_EQ(row.busy_between(105, 109), 0);
}

TEST(Timeline, OverlappingEventsAreCutToFollowOneAnother) {
  TimelineRow row;
  row.add(0, 10, 0);
  row.add(5, 20, 0);
  EXPECT_EQ(row.start_ns(1), 10);
}

TEST(Bars, WideEventsStandForThemselves) {
  TimelineRow row;
  row.add(0, 40, 0);
  row.add(60, 100, 1);
  const auto bars = bars_of(row, {0.0, 100.0}, 10);
  ASSERT_EQ(bars.size(), 2u);
  EXPECT_EQ(bars[1].event, 1);
  EXPECT_DOUBLE_EQ(bars[1].from, 6.0);  // 60 of 100 ns over ten columns
  EXPECT_DOUBLE_EQ(bars[1].to, 10.0);
}

TEST(Bars, SmallEventsShareAColumnAndKeepTheirTime) {
  TimelineRow row;
  // A thousand events of 6 ns every 10 ns: 60 % of every column.
  for (int i = 0; i < 1000; ++i) row.add(10 * i, 10 * i + 6, 2);
  const auto bars = bars_of(row, {0.0, 10'000.0}, 50);
  ASSERT_EQ(bars.size(), 50u);
  for (const TimelineBar& bar : bars) {
    EXPECT_DOUBLE_EQ(bar.cover, 0.6);
    EXPECT_EQ(bar.event, -1);
    EXPECT_EQ(bar.kind, 2);
  }
}

TEST(Bars, ALargeEventAmongSmallOnesIsKept) {
  TimelineRow row;
  for (int i = 0; i < 10; ++i) row.add(i, i + 1, 0);
  row.add(10, 900, 1);
  const auto bars = bars_of(row, {0.0, 1000.0}, 10);
  ASSERT_EQ(bars.size(), 2u);
  EXPECT_EQ(bars[0].event, -1);
  EXPECT_EQ(bars[1].event, 10);
  EXPECT_EQ(bars[1].kind, 1);
}

TEST(Bars, AnEventThatCoversTheWindowIsSeen) {
  TimelineRow row;
  row.add(0, 1'000'000, 3);
  const auto bars = bars_of(row, {500.0, 600.0}, 10);
  ASSERT_EQ(bars.size(), 1u);
  EXPECT_DOUBLE_EQ(bars[0].from, 0.0);
  EXPECT_DOUBLE_EQ(bars[0].to, 10.0);
}

TEST(Bars, AreAtMostTwoAColumn) {
  TimelineRow row;
  std::int64_t time = 0;
  for (int i = 0; i < 100'000; ++i, time += 17) row.add(time, time + (i % 97 == 0 ? 16 : 3), i % 5);
  EXPECT_LE(bars_of(row, {0.0, static_cast<double>(time)}, 800).size(), 1600u);
}

TEST(Timeline, FramesOneDecodeStepFirst) {
  const Timeline timeline = one_step_timeline();
  const figure::Interval window = first_window(timeline);
  EXPECT_LE(window.lo, 0.0);
  EXPECT_GE(window.hi, 1000.0);
  EXPECT_LT(window.hi - window.lo, 1200.0);
}

TEST(Timeline, AWindowStaysOnTheAxis) {
  const Timeline timeline = one_step_timeline();
  const figure::Interval far = clamped_window(timeline, {1e9, 1e9 + 500.0});
  EXPECT_DOUBLE_EQ(far.hi - far.lo, 500.0);
  EXPECT_LT(far.hi, 1200.0);
  const figure::Interval tiny = clamped_window(timeline, {500.0, 500.001});
  EXPECT_DOUBLE_EQ(tiny.hi - tiny.lo, 100.0);
}

TEST(Timeline, ARangeIsDescribedWithItsGaps) {
  const TimelineRange range = describe_range(one_step_timeline(), {0.0, 1000.0});
  // Three operations: 300 + 200 + 400 ns inside, 1000 − 900 = 100 ns in gaps, 10 % of the step.
  EXPECT_TRUE(plain_spaces(range.sentence).starts_with("3 operations begin")) << range.sentence;
  EXPECT_NE(range.sentence.find("900"), std::string::npos) << range.sentence;
  EXPECT_NE(range.sentence.find("10"), std::string::npos) << range.sentence;
  EXPECT_EQ(range.datums, (std::vector<std::string>{"decode/attention", "decode/mlp_up"}));
  EXPECT_EQ(std::get<std::int64_t>(range.statistics.rows.front()[0].raw), 3);
  EXPECT_NEAR(std::get<double>(range.statistics.rows.front()[1].raw), 900e-9, 1e-15);  // sum
  EXPECT_NEAR(std::get<double>(range.statistics.rows.front()[3].raw), 300e-9, 1e-15);  // median of 200, 300, 400
}

TEST(Timeline, AnEmptyRangeHasOnlyACount) {
  const TimelineRange range = describe_range(one_step_timeline(), {960.0, 990.0});
  EXPECT_EQ(std::get<std::int64_t>(range.statistics.rows.front()[0].raw), 0);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(range.statistics.rows.front()[1].raw));
}

TEST(Timeline, EventsKnowTheirOperation) {
  const Timeline timeline = one_step_timeline();
  EXPECT_EQ(op_datum_of(timeline, "op:1"), "decode/mlp_up");
  EXPECT_EQ(op_datum_of(timeline, "op:3"), "");
  EXPECT_EQ(op_datum_of(timeline, "op:-1"), "");
  EXPECT_EQ(op_datum_of(timeline, "step:0"), "");
  EXPECT_EQ(op_datum_of(timeline, ""), "");
}

TEST(TimelineFigure, IsAsLargeAsItsWindowNotItsRun) {
  std::vector<trace::Span> spans;
  for (int i = 0; i < 50'000; ++i)
    spans.push_back(span_of(trace::ZoneKind::kOp, 20 * i, 20 * i + 15, OpKind::kNorm, i % 7));
  const RecordedPoint point{"Decode, 8 tokens, batch 1", Phase::kDecode, 1, spans};
  const Timeline timeline = make_timeline({&point, 1});
  const TimelineStrip strip{{}, &timeline, 0};
  const auto drawn = timeline_figure({&strip, 1}, {0.0, 1e6}, {}, {1000.0, 400.0}, "t");
  EXPECT_LT(drawn.primitives.size(), 6000u);
  ASSERT_TRUE(drawn.plane);
  EXPECT_DOUBLE_EQ(drawn.plane->x.domain().hi, 1e6);
}

TEST(Timeline, WithoutSpansIsEmpty) {
  const Timeline timeline = make_timeline({});
  EXPECT_TRUE(timeline.empty());
  const figure::Interval window = first_window(timeline);
  EXPECT_LT(window.lo, window.hi);
}

}  // namespace
}  // namespace dachlast::viewmodel
