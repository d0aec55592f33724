#include "core/viewmodel/timeline_trace.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/model/model_source.h"
#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

GpuEvent event(std::int64_t start_ns, std::int64_t end_ns, std::uint32_t name, std::int32_t step,
               std::optional<std::int64_t> launch_ns) {
  GpuEvent made;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.name = name;
  made.step = step;
  made.launch_ns = launch_ns;
  return made;
}

/// On GPU 0 a prefill that launched one kernel and a decode step that launched three, 1000 ns into the recording's clock:
/// 50 ns of the decode step lie between its first two kernels, 30 of them before the second was asked for. GPU 1 works less.
GpuTrace small_trace() {
  GpuTrace trace;
  trace.format = "Made by hand";
  trace.names = {"flash_fwd_kernel", "a_gemm", "aten::mm", "attention"};
  trace.host_ops = {{2, kNoIndex, kNoIndex}, {3, kNoIndex, kNoIndex}};
  trace.steps = {{.name = "prefill 0", .phase = Phase::kPrefill, .start_ns = 1000, .end_ns = 1010},
                 {.name = "decode 1", .phase = Phase::kDecode, .start_ns = 1120, .end_ns = 1130}};
  trace.events = {event(1010, 1100, 1, 0, 1005), event(1150, 1250, 0, 1, 1125), event(1300, 1360, 1, 1, 1280),
                  event(1360, 1400, 1, 1, 1126), event(1000, 1050, 1, 0, 1001)};
  trace.events[1].host_op = 1;
  trace.events[2].host_op = 0;
  trace.events[3].host_op = 0;
  trace.events[4].device = 1;
  trace.devices = {{0, "Test GPU"}, {1, "Test GPU"}};
  return trace;
}

Timeline small_timeline() {
  static const NameRules rules(data_dir() / "rules");
  return timeline_of_trace(small_trace(), rules);
}

TEST(TimelineTrace, KernelsOfTheBusiestGpuAreARow) {
  const Timeline timeline = small_timeline();
  ASSERT_TRUE(timeline.gpu);
  EXPECT_EQ(timeline.gpu->heading, "Made by hand, GPU 0, Test GPU");
  ASSERT_EQ(timeline.kernels.size(), 4);
  EXPECT_EQ(timeline.kernels.start_ns(0), 10);  // the axis begins with the first step's annotation
  EXPECT_EQ(timeline.kernels.kind(1), static_cast<int>(KernelGroup::kAttention));
  EXPECT_EQ(timeline.kernels.kind(2), static_cast<int>(KernelGroup::kMatrix));
  EXPECT_EQ(timeline.end_ns, 400);
}

TEST(TimelineTrace, AnotherGpuCanBeAskedFor) {
  const GpuTrace trace = small_trace();
  const auto devices = devices_of(trace);
  ASSERT_EQ(devices.size(), 2U);
  EXPECT_EQ(devices[1].name, "GPU 1, Test GPU");
  const Timeline timeline = timeline_of_trace(trace, NameRules(data_dir() / "rules"), devices[1].device);
  EXPECT_EQ(timeline.gpu->heading, "Made by hand, GPU 1, Test GPU");
  EXPECT_EQ(timeline.gpu->device, 1);
  ASSERT_EQ(timeline.kernels.size(), 1);
  EXPECT_EQ(timeline.kernels.end_ns(0), 50);
  EXPECT_EQ(timeline.steps.size(), 1);  // decode launched nothing there
}

TEST(TimelineTrace, StepsLastFromTheirAnnotationToTheirLastKernel) {
  const Timeline timeline = small_timeline();
  ASSERT_EQ(timeline.steps.size(), 2);
  EXPECT_EQ(timeline.steps.start_ns(1), 120);
  EXPECT_EQ(timeline.steps.end_ns(1), 400);
  EXPECT_EQ(timeline.gpu->names[timeline.gpu->step_names[1]], "decode 1");
  ASSERT_EQ(timeline.ops.size(), 2);  // attention; aten::mm, its two kernels one
  EXPECT_EQ(timeline.ops.end_ns(1) - timeline.ops.start_ns(1), 100);
}

TEST(TimelineTrace, ADecodeStepIsFramedFirst) {
  const figure::Interval window = first_window(small_timeline());
  EXPECT_GT(window.lo, 0.0);
  EXPECT_LE(window.lo, 120.0);
  EXPECT_GE(window.hi, 400.0);
}

TEST(TimelineTrace, GapsOfTheGpuAreSummedAndThoseBeforeALaunchNamed) {
  const TimelineRange range = describe_range(small_timeline(), {120.0, 400.0});
  // Busy 100 + 60 + 40 of 280 ns. Idle 30 before the first kernel, 5 of it before its launch (1120 … 1125), and 50 before the
  // second, 30 of it before its launch (1250 … 1280): 35 of 280 ns are 12.5 %, 13 as whole percent.
  EXPECT_EQ(plain_spaces(range.sentence),
            "3 kernels begin in 280 ns: GPU busy 200 ns, gaps 80.0 ns, launch gap 35.0 ns (13 %).");
  EXPECT_EQ(std::get<std::int64_t>(range.statistics.rows.front()[0].raw), 3);
  EXPECT_NEAR(std::get<double>(range.statistics.rows.front()[1].raw), 200e-9, 1e-15);  // sum
  EXPECT_TRUE(range.datums.empty());
}

TEST(TimelineTrace, WithoutLaunchesThereAreOnlyGaps) {
  GpuTrace trace = small_trace();
  for (GpuEvent& one : trace.events) one.launch_ns.reset();
  const Timeline timeline = timeline_of_trace(trace, NameRules(data_dir() / "rules"));
  EXPECT_EQ(plain_spaces(describe_range(timeline, {120.0, 400.0}).sentence),
            "3 kernels begin in 280 ns: GPU busy 200 ns, gaps 80.0 ns.");
}

TEST(TimelineTrace, KernelsOfOtherStreamsKeepTheirTime) {
  GpuTrace trace = small_trace();
  trace.events[2].start_ns = 1200;  // under the attention kernel, on another stream
  trace.events[2].stream = 7;
  const Timeline timeline = timeline_of_trace(trace, NameRules(data_dir() / "rules"));
  const TimelineStrip strip{{}, &timeline, 0};
  EXPECT_EQ(timeline.kernels.start_ns(2), 250);  // in the row it is cut
  EXPECT_EQ(plain_spaces(event_facts({&strip, 1}, "kernel:2")),
            "a_gemm\n160 ns\nstarted 0 ns after its launch\nstream 7");
}

TEST(TimelineTrace, TheChartHasARowOfKernelsAndNoneOfLayers) {
  const Timeline timeline = small_timeline();
  const TimelineStrip strip{{}, &timeline, 0};
  const figure::Figure drawn = timeline_figure({&strip, 1}, {100.0, 420.0}, {}, {900.0, 400.0}, "t");
  int kernels = 0;
  int hatched = 0;
  std::vector<std::string> texts;
  for (const auto& primitive : drawn.primitives) {
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) kernels += hit->datum.starts_with("kernel:") ? 1 : 0;
    if (const auto* rect = std::get_if<figure::Rect>(&primitive))
      hatched += rect->hatch == figure::Hatch::kForward ? 1 : 0;
    if (const auto* text = std::get_if<figure::Text>(&primitive)) texts.push_back(text->text);
  }
  EXPECT_EQ(kernels, 3);
  EXPECT_EQ(hatched, 2);
  EXPECT_EQ(std::ranges::count(texts, "Kernels"), 1);
  EXPECT_EQ(std::ranges::count(texts, "launch gap"), 1);
  EXPECT_EQ(std::ranges::count(texts, "Layers"), 0);
  EXPECT_EQ(std::ranges::count(texts, "decode 1"), 1);
}

TEST(TimelineTrace, RangesThatNameLayersMakeARow) {
  GpuTrace trace = small_trace();
  // Of the decode step attention belongs to layer 0 by the range around it, the products to layer 1 by their payload; in
  // between runs something of which nobody knows who launched it.
  trace.names.emplace_back("layer 0");
  trace.host_ops = {{2, kNoIndex, kNoIndex, 1}, {4, kNoIndex, kNoIndex}, {3, 1, kNoIndex}};
  trace.events[1].host_op = 2;
  trace.events.push_back(event(1362, 1364, 1, 1, std::nullopt));
  const Timeline timeline = timeline_of_trace(trace, NameRules(data_dir() / "rules"));
  ASSERT_EQ(timeline.layers.size(), 2);
  EXPECT_EQ(timeline.layer_numbers, (std::vector<std::int32_t>{0, 1}));
  EXPECT_EQ(timeline.layers.start_ns(0), 150);
  EXPECT_EQ(timeline.layers.end_ns(0), 250);
  EXPECT_EQ(timeline.layers.kind(0), static_cast<int>(KernelGroup::kAttention));
  EXPECT_EQ(timeline.layers.start_ns(1), 300);  // both products, one behind the other
  EXPECT_EQ(timeline.layers.end_ns(1), 400);
  const TimelineStrip strip{{}, &timeline, 0};
  EXPECT_EQ(plain_spaces(event_facts({&strip, 1}, "layer:1")), "layer 1\n100 ns");
  std::vector<std::string> texts;
  for (const auto& primitive : timeline_figure({&strip, 1}, {100.0, 420.0}, {}, {900.0, 400.0}, "t").primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) texts.push_back(text->text);
  EXPECT_EQ(std::ranges::count(texts, "Layers"), 1);
}

TEST(TimelineTrace, ALayerEndsWithItsStep) {
  GpuTrace trace = small_trace();
  trace.names.emplace_back("layer 0");
  trace.host_ops = {{4, kNoIndex, kNoIndex}};
  for (GpuEvent& one : trace.events) one.host_op = 0;
  const Timeline timeline = timeline_of_trace(trace, NameRules(data_dir() / "rules"));
  ASSERT_EQ(timeline.layers.size(), 2);  // of the prefill and of the decode step
  EXPECT_EQ(timeline.layers.end_ns(0), 100);
  EXPECT_EQ(timeline.layers.start_ns(1), 150);
}

TEST(TimelineTrace, WithoutStepsThereIsNoRowOfPhasesAndTimeIsThatOfTheRecording) {
  GpuTrace trace = small_trace();
  trace.steps.clear();
  for (GpuEvent& one : trace.events) one.step = kNoIndex;
  const Timeline timeline = timeline_of_trace(trace, NameRules(data_dir() / "rules"));
  EXPECT_TRUE(timeline.points.empty());
  const TimelineStrip strip{{}, &timeline, 0};
  for (const auto& primitive : timeline_figure({&strip, 1}, {0.0, 420.0}, {}, {900.0, 400.0}, "t").primitives)
    if (const auto* text = std::get_if<figure::Text>(&primitive)) {
      EXPECT_NE(text->text, "Phases");
      EXPECT_EQ(text->text.find("step"), std::string::npos) << text->text;
    }
}

TEST(TimelineTrace, AnEmptyRecordingIsAnEmptyTimeline) {
  EXPECT_TRUE(timeline_of_trace(GpuTrace{}, NameRules(data_dir() / "rules")).empty());
}

}  // namespace
}  // namespace dachlast::viewmodel
