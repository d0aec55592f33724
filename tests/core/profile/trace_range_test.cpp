#include "core/profile/trace_range.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

const std::string kBf16 = "c10::BFloat16";

GpuEvent kernel(std::uint32_t name, std::int64_t start_ns, std::int64_t end_ns, std::int32_t host_op,
                std::int32_t step) {
  GpuEvent made;
  made.name = name;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.host_op = host_op;
  made.step = step;
  return made;
}

/// Two matrix products of 2 · 4 · 16 · 8 = 1024 FLOP, each behind a kernel without shapes, in two steps, from 1000 on; the second
/// product is two kernels. GPU 1 copies between 1000 and 1050.
GpuTrace two_steps() {
  GpuTrace trace;
  trace.names = {"aten::mm", "sm90_gemm", "elementwise_kernel", "Memcpy DtoD"};
  trace.operands = {{{{4, 8}, {8, 16}}, {kBf16, kBf16}, {}}};
  trace.host_ops = {{0, kNoIndex, 0}, {0, kNoIndex, 0}};
  trace.steps = {{.name = "prefill 0", .phase = Phase::kPrefill, .start_ns = 990, .end_ns = 995, .q_tokens = 4},
                 {.name = "decode 1", .phase = Phase::kDecode, .start_ns = 1290, .end_ns = 1295, .q_tokens = 1}};
  trace.events = {kernel(2, 1000, 1100, kNoIndex, 0), kernel(1, 1100, 1200, 0, 0), kernel(2, 1300, 1400, kNoIndex, 1),
                  kernel(1, 1400, 1450, 1, 1),        kernel(1, 1500, 1600, 1, 1), kernel(3, 1000, 1050, kNoIndex, 0)};
  trace.events[5].device = 1;
  trace.events[5].work = GpuWork::kCopy;
  trace.samples.resize(2);
  for (std::int64_t i = 0; i < 2; ++i) {
    trace.samples[static_cast<std::size_t>(i)].start_ns = 1000 + 100 * i;
    trace.samples[static_cast<std::size_t>(i)].end_ns = 1100 + 100 * i;
  }
  return trace;
}

class Range : public ::testing::Test {
 protected:
  GpuProfile of(std::int64_t from_ns, std::int64_t to_ns) {
    return summarize(two_steps(), rules_, TraceRange{from_ns, to_ns});
  }
  NameRules rules_{data_dir() / "rules"};
};

TEST_F(Range, KernelsCountByTheirPartInside) {
  const GpuProfile profile = of(1050, 1350);
  // elementwise 50 of the first and 50 of the third event, the first product whole.
  ASSERT_EQ(profile.kernels.size(), 2U);
  EXPECT_EQ(profile.kernels[0].name, "elementwise_kernel");
  EXPECT_EQ(profile.kernels[0].times.total_ns, 100);
  EXPECT_EQ(profile.kernels[0].times.n, 2);
  EXPECT_EQ(profile.kernels[1].times.total_ns, 100);
  ASSERT_EQ(profile.families.size(), 2U);  // the copy ended where the range begins
  // Nothing ran from 1200 to 1300.
  EXPECT_EQ(profile.timelines.at(0).span_ns, 300);
  EXPECT_EQ(profile.timelines.at(0).busy_ns(), 200);
  EXPECT_EQ(profile.timelines.at(0).idle_ns(), 100);
}

TEST_F(Range, TimeAtItsEdgesInWhichNothingRanIsIdle) {
  const GpuProfile profile = of(1220, 1320);
  EXPECT_EQ(profile.timelines.at(0).span_ns, 100);
  EXPECT_EQ(profile.timelines.at(0).busy_ns(), 20);
  ASSERT_EQ(profile.timelines.size(), 2U);  // the other GPU did nothing
  EXPECT_EQ(profile.timelines[1].device, 1);
  EXPECT_EQ(profile.timelines[1].busy_ns(), 0);
  EXPECT_EQ(profile.timelines[1].span_ns, 100);
}

TEST_F(Range, WorkIsThatOfWholeCalls) {
  const GpuProfile first = of(1000, 1550);
  // Of the second product 50 + 50 ns lie inside, of 150: its rate would be half again too high.
  ASSERT_EQ(first.ops.size(), 1U);
  EXPECT_EQ(first.ops[0].calls.n, 1);
  EXPECT_EQ(first.ops[0].calls.total_ns, 100);
  EXPECT_EQ(first.remarks.back().code, "range_cut_calls");
  EXPECT_NE(first.remarks.back().text.find(": 1."), std::string::npos);
  EXPECT_EQ(first.families.at(0).times.total_ns,
            200);  // but its time is there: GEMM 100 + 50 + 50, elementwise as long

  const GpuProfile both = of(1000, 1600);
  EXPECT_EQ(both.ops.at(0).calls.n, 2);
  EXPECT_EQ(both.ops[0].calls.total_ns, 250);
  EXPECT_EQ(both.remarks.back().code, "range");  // nothing was cut

  const GpuProfile gap = of(1450, 1500);  // between the two kernels of a call
  EXPECT_TRUE(gap.ops.empty());
  EXPECT_TRUE(gap.kernels.empty());
  EXPECT_EQ(gap.remarks.back().code, "range");
}

TEST_F(Range, StepsAreThoseWithWorkInside) {
  const GpuProfile profile = of(1350, 1600);
  ASSERT_EQ(profile.phases.size(), 1U);
  EXPECT_EQ(profile.phases[0].label, "decode");
  EXPECT_EQ(profile.phases[0].n_steps, 1);
  EXPECT_EQ(profile.phases[0].q_tokens, 1);
  EXPECT_EQ(profile.phases[0].gpu_ns, 50 + 50 + 100);
}

TEST_F(Range, TheWholeTimeSaysWhatTheWholeRecordingSays) {
  const GpuProfile whole = summarize(two_steps(), rules_);
  const GpuProfile range = of(1000, 1600);
  EXPECT_EQ(range.timelines.at(0).busy_ns(), whole.timelines.at(0).busy_ns());
  EXPECT_EQ(range.timelines[0].span_ns, whole.timelines[0].span_ns);
  EXPECT_EQ(range.kernels.size(), whole.kernels.size());
  EXPECT_EQ(range.ops.at(0).calls.total_ns, whole.ops.at(0).calls.total_ns);
  EXPECT_EQ(range.phases.size(), whole.phases.size());
}

TEST_F(Range, SamplesAreThoseThatLieInsideAsAWhole) {
  EXPECT_EQ(part_of(two_steps(), {1000, 1200}).trace.samples.size(), 2U);
  EXPECT_EQ(part_of(two_steps(), {1001, 1200}).trace.samples.size(), 1U);
}

}  // namespace
}  // namespace dachlast
