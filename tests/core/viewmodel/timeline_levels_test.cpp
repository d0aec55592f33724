#include "core/viewmodel/timeline_levels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

trace::Span step_of(std::int64_t start_ns, std::int64_t end_ns, int n_tokens, int kv_len) {
  trace::Span span;
  span.zone = trace::ZoneKind::kStep;
  span.start_ns = start_ns;
  span.end_ns = end_ns;
  span.n_tokens = n_tokens;
  span.kv_len = kv_len;
  return span;
}

/// A prefill of 512 tokens for each of two sequences, then a decode step; memory grows by 64 MiB in the first and stays.
Timeline two_steps() {
  const std::vector<trace::Span> prefill{step_of(1'000, 2'000, 1024, 512)};
  const std::vector<trace::Span> decode{step_of(3'000, 3'500, 2, 513)};
  const std::vector<trace::MemorySample> first{{1'000, 1024 * kMiB}, {2'000, 1088 * kMiB}};
  const std::vector<trace::MemorySample> second{{3'000, 1088 * kMiB}, {3'500, 1088 * kMiB}};
  const RecordedPoint points[] = {
      {.heading = "Prefill", .phase = Phase::kPrefill, .spans = prefill, .batch_size = 2, .memory = first},
      {.heading = "Decode", .phase = Phase::kDecode, .spans = decode, .batch_size = 2, .memory = second}};
  return make_timeline(points);
}

int areas_in(const std::vector<figure::Primitive>& primitives) {
  return static_cast<int>(
      std::ranges::count_if(primitives, [](const auto& one) { return std::holds_alternative<figure::Area>(one); }));
}

TEST(TimelineLevels, TokensOfAllSequencesAreCounted) {
  const LevelRow row = kv_level_row(two_steps());
  ASSERT_EQ(row.pieces.size(), 2U);
  EXPECT_EQ(row.pieces[0].before, 0.0);
  EXPECT_EQ(row.pieces[0].after, 1024.0);   // 2 · 512
  EXPECT_EQ(row.pieces[1].before, 1024.0);  // 2 · 513 − 2
  EXPECT_EQ(row.pieces[1].after, 1026.0);
  EXPECT_EQ(row.most, "1,026");
  EXPECT_EQ(plain_spaces(row.facts(row.pieces[1])),
            "1,026 tokens in the KV cache after the step\n1,024 tokens before it");
}

TEST(TimelineLevels, MemoryLiesBetweenItsReadings) {
  const LevelRow row = memory_level_row(two_steps());
  ASSERT_EQ(row.pieces.size(), 3U);
  EXPECT_EQ(row.pieces[0].from_ns, 0.0);  // the axis begins with the first step
  EXPECT_EQ(row.pieces[0].after, 1088 * kMiB);
  EXPECT_EQ(plain_spaces(row.most), "1.06 GiB");  // 1088 / 1024
}

/// A step with three readings around it and in it; the second one told no clock.
Timeline with_clock_and_power() {
  const std::vector<trace::Span> spans{step_of(1'000, 5'000, 1, 8)};
  const std::vector<trace::ClockPowerSample> samples{
      {500, 2.0e9, {}}, {2'000, 3.1e9, 120.0}, {4'000, {}, 95.5}, {6'000, 2.5e9, {}}};
  const RecordedPoint point{.heading = "Decode", .phase = Phase::kDecode, .spans = spans, .clock_power = samples};
  Timeline timeline = make_timeline({&point, 1});
  timeline.clock_power_sources = {{"cpufreq", ""}, {"RAPL", ""}};
  return timeline;
}

TEST(TimelineLevels, ClockAndPowerLieBetweenTheirReadings) {
  const Timeline timeline = with_clock_and_power();
  const LevelRow clock = clock_level_row(timeline);
  ASSERT_EQ(clock.pieces.size(), 1U);          // from 500 to 2,000: the next reading has none
  EXPECT_EQ(clock.pieces[0].from_ns, -500.0);  // the axis begins with the step, at 1,000
  EXPECT_EQ(plain_spaces(clock.most), "3.10 GHz");
  const LevelRow power = power_level_row(timeline);
  ASSERT_EQ(power.pieces.size(), 2U);
  EXPECT_EQ(power.pieces[1].before, 95.5);  // a mean holds all the time
  EXPECT_EQ(power.pieces[1].after, 95.5);
  EXPECT_EQ(plain_spaces(power.most), "120 W");
  EXPECT_TRUE(missing_rows(timeline).empty());
}

TEST(TimelineLevels, ClockAndPowerSayWhoseTheyAre) {
  Timeline timeline = with_clock_and_power();
  const auto facts = [&](const LevelRow& row) { return row.facts(row.pieces.front()); };
  EXPECT_NE(facts(power_level_row(timeline)).find("processor packages"), std::string::npos);
  timeline.clock_power_sources = {{"NVML", ""}, {"NVML", ""}};
  EXPECT_NE(facts(clock_level_row(timeline)).find("of the GPU's multiprocessors"), std::string::npos);
  EXPECT_NE(facts(power_level_row(timeline)).find("of the GPU's whole board"), std::string::npos);
}

TEST(TimelineLevels, ReadingsOfDifferentPointsAreNotJoined) {
  const std::vector<trace::Span> first{step_of(1'000, 2'000, 1, 8)};
  const std::vector<trace::Span> second{step_of(9'000, 9'500, 1, 8)};
  const std::vector<trace::ClockPowerSample> a{{900, 2e9, {}}, {2'100, 2e9, 80.0}};
  const std::vector<trace::ClockPowerSample> b{{8'900, 2e9, 10.0}, {9'600, 2e9, 90.0}};
  const RecordedPoint points[] = {{.heading = "A", .spans = first, .clock_power = a},
                                  {.heading = "B", .spans = second, .clock_power = b}};
  const LevelRow power = power_level_row(make_timeline(points));
  ASSERT_EQ(power.pieces.size(), 2U);
  EXPECT_EQ(power.pieces[1].from_ns, 7'900.0);
}

TEST(TimelineLevels, WhatTheMachineDoesNotTellIsAbsentWithTheReason) {
  Timeline timeline = two_steps();
  EXPECT_TRUE(missing_rows(timeline).empty());  // nobody asked
  timeline.clock_power_sources = {{"", "hidden here."}, {"RAPL", ""}};
  EXPECT_EQ(missing_rows(timeline), std::vector<std::string>{"No clock: hidden here."});
  timeline.no_kernels = "timed as a whole.";
  EXPECT_EQ(missing_rows(timeline).front(), "No kernels: timed as a whole.");
  const TimelineStrip strip{{}, &timeline, 0};
  for (const auto& primitive : timeline_figure({&strip, 1}, {0.0, 2'500.0}, {}, {900.0, 500.0}, "t").primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) {
      EXPECT_NE(text->text, "Clock");
      EXPECT_NE(text->text, "Kernels");
    }
}

TEST(TimelineLevels, WithoutReadingsOrCacheThereIsNoRow) {
  const std::vector<trace::Span> spans{step_of(0, 100, 1, 8)};
  const RecordedPoint point{.heading = "No cache", .phase = Phase::kPrefill, .spans = spans};
  const Timeline timeline = make_timeline({&point, 1});
  EXPECT_TRUE(timeline.kv.empty());
  EXPECT_TRUE(timeline.memory.empty());
  EXPECT_TRUE(memory_level_row(timeline).most.empty());
}

TEST(TimelineLevels, AreDrawnInsideTheirBoxAndWindow) {
  const LevelRow row = kv_level_row(two_steps());
  const figure::Box box{100.0, 10.0, 400.0, 40.0};
  std::vector<figure::Primitive> primitives;
  draw_level(primitives, row, {500.0, 2'250.0}, box);  // the second half of one step, the first of the other
  EXPECT_EQ(areas_in(primitives), 2);
  for (const auto& primitive : primitives)
    if (const auto* area = std::get_if<figure::Area>(&primitive)) {
      for (const figure::Point& at : area->outline) EXPECT_TRUE(box.contains(at)) << at.x << ' ' << at.y;
    }
}

TEST(TimelineLevels, ManyStepsShareColumns) {
  std::vector<trace::Span> spans;
  for (int i = 0; i < 50'000; ++i) spans.push_back(step_of(100 * i, 100 * i + 90, 1, 1 + i % 1000));
  const RecordedPoint point{.heading = "Decode", .phase = Phase::kDecode, .spans = spans, .batch_size = 1};
  const Timeline timeline = make_timeline({&point, 1});
  std::vector<figure::Primitive> primitives;
  draw_level(primitives, kv_level_row(timeline), {0.0, 5e6}, {0.0, 0.0, 800.0, 40.0});
  EXPECT_LE(primitives.size(), 1'700U);  // about two a column
  EXPECT_GE(primitives.size(), 700U);
}

TEST(TimelineLevels, StandBelowTheEventsOfTheFigure) {
  const Timeline timeline = two_steps();
  const TimelineStrip strip{{}, &timeline, 0};
  const figure::Figure figure = timeline_figure({&strip, 1}, {0.0, 2'500.0}, {}, {900.0, 500.0}, "t");
  std::set<std::string> texts;
  for (const auto& primitive : figure.primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) texts.insert(text->text);
  EXPECT_TRUE(texts.contains("Memory"));
  EXPECT_TRUE(texts.contains("KV tokens"));
  EXPECT_TRUE(texts.contains("1,026"));
}

}  // namespace
}  // namespace dachlast::viewmodel
