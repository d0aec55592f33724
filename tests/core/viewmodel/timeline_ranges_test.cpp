#include "core/viewmodel/timeline_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/model_source.h"
#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

AttachedRange range_on(std::int32_t thread, std::int32_t name, std::int64_t start_ns, std::int64_t end_ns,
                       std::int32_t depth) {
  AttachedRange made;
  made.thread = thread;
  made.name = name;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.depth = depth;
  return made;
}

/// A decode step from 1000 to 1100 with layer 0 (attention within) and layer 1 by the payload of its range; another thread
/// annotates less.
AttachRecord annotated() {
  AttachRecord record;
  record.processes = {{1, 0, "engine"}};
  record.threads = {{0, 1, "loader", 0}, {0, 2, "main", 0}};
  record.names = {"", "decode step 7", "layer 0", "attention", "mlp", "load"};
  record.ranges = {range_on(0, 5, 900, 950, 0), range_on(1, 1, 1000, 1100, 0), range_on(1, 2, 1010, 1050, 1),
                   range_on(1, 3, 1020, 1040, 2), range_on(1, 4, 1060, 1090, 1)};
  record.ranges[4].payload = "layer=1 tokens=4";
  return record;
}

Timeline timeline_of_annotated(const AttachRecord& record) {
  return timeline_of_ranges(record, NameRules(data_dir() / "rules"));
}

TEST(TimelineRanges, TheInnermostRangeOfEveryMomentIsAnOperation) {
  const Timeline timeline = timeline_of_annotated(annotated());
  ASSERT_TRUE(timeline.gpu);
  EXPECT_EQ(timeline.gpu->heading, "Attached program, thread main");
  ASSERT_EQ(timeline.steps.size(), 1);
  EXPECT_EQ(timeline.steps.start_ns(0), 0);
  EXPECT_EQ(timeline.steps.end_ns(0), 100);
  // layer 0 [10, 20), attention [20, 40), layer 0 [40, 50), mlp [60, 90)
  ASSERT_EQ(timeline.ops.size(), 4);
  EXPECT_EQ(timeline.ops.start_ns(1), 20);
  EXPECT_EQ(timeline.ops.end_ns(1), 40);
  EXPECT_EQ(timeline.gpu->names[timeline.gpu->op_names[1]], "attention");
  EXPECT_EQ(timeline.ops.start_ns(3), 60);
  EXPECT_EQ(timeline.end_ns, 100);
  ASSERT_EQ(timeline.points.size(), 1U);
  EXPECT_EQ(timeline.points[0].phase, Phase::kDecode);
}

TEST(TimelineRanges, RangesNameLayers) {
  const Timeline timeline = timeline_of_annotated(annotated());
  EXPECT_EQ(timeline.layer_numbers, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(timeline.layers.start_ns(0), 10);
  EXPECT_EQ(timeline.layers.end_ns(0), 50);  // attention within is of it
  EXPECT_EQ(timeline.layers.start_ns(1), 60);
  EXPECT_EQ(timeline.layers.end_ns(1), 90);
}

TEST(TimelineRanges, TextsSpeakOfRangesNotOfKernels) {
  const Timeline timeline = timeline_of_annotated(annotated());
  const TimelineStrip strip{{}, &timeline, 0};
  // 40 + 30 of 100 ns lie inside ranges.
  EXPECT_EQ(plain_spaces(describe_range(timeline, {0.0, 100.0}).sentence),
            "4 ranges begin in 100 ns: 70.0 ns inside ranges, 30.0 ns outside of them.");
  EXPECT_EQ(plain_spaces(event_facts({&strip, 1}, "op:1")), "attention\n20.0 ns\nno other range within");
  EXPECT_EQ(plain_spaces(event_facts({&strip, 1}, "step:0")), "decode step 7\n100 ns\n30.0 ns outside of ranges");
  const figure::Figure drawn = timeline_figure({&strip, 1}, {0.0, 100.0}, {}, {900.0, 400.0}, "t");
  std::vector<std::string> texts;
  for (const auto& primitive : drawn.primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) texts.push_back(text->text);
  for (const char* row : {"Phases", "Layers", "Operations"}) EXPECT_EQ(std::ranges::count(texts, row), 1) << row;
  EXPECT_EQ(std::ranges::count(texts, "Kernels"), 0);
  EXPECT_EQ(std::ranges::count(texts, "attention kernels"), 0);  // nobody knows what ranges are for
  EXPECT_NE(plain_spaces(drawn.description).find("4 ranges in all"), std::string::npos) << drawn.description;
}

TEST(TimelineRanges, RangesOfOtherDomainsMayOverlap) {
  AttachRecord record = annotated();
  record.ranges.push_back(range_on(1, 5, 1030, 1070, 0));  // begins in attention, ends in mlp
  const Timeline timeline = timeline_of_annotated(record);
  for (int i = 1; i < timeline.ops.size(); ++i) EXPECT_GE(timeline.ops.start_ns(i), timeline.ops.end_ns(i - 1));
  EXPECT_EQ(timeline.end_ns, 100);
}

TEST(TimelineRanges, MarksAndRangesThatEndByNumberAreLeftOut) {
  AttachRecord record = annotated();
  for (AttachedRange& range : record.ranges) range.end = RangeEnd::kMark;
  EXPECT_TRUE(timeline_of_annotated(record).empty());
  for (AttachedRange& range : record.ranges) range.end = RangeEnd::kStopped;
  const Timeline timeline = timeline_of_annotated(record);
  EXPECT_EQ(timeline.ops.size(), 0);
  EXPECT_EQ(timeline.steps.size(), 1);  // as steps they count
}

}  // namespace
}  // namespace dachlast::viewmodel
