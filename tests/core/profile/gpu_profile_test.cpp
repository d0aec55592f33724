#include "core/profile/gpu_profile.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

const std::string kBf16 = "c10::BFloat16";

GpuEvent kernel(std::uint32_t name, std::int64_t start_ns, std::int64_t end_ns, std::int32_t host_op = kNoIndex) {
  GpuEvent made;
  made.name = name;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.host_op = host_op;
  return made;
}

/// aten::linear around aten::mm around a call that launches a fill and a product; and a product launched by nobody known.
GpuTrace small_trace() {
  GpuTrace trace;
  trace.names = {"aten::linear", "aten::mm", "Memset (Device)", "sm90_gemm", "elementwise_kernel"};
  trace.operands = {{{{4, 8}, {8, 16}}, {kBf16, kBf16}, {}}};
  trace.host_ops = {{0, kNoIndex, kNoIndex}, {1, 0, 0}};
  GpuEvent fill = kernel(2, 0, 10, 1);
  fill.work = GpuWork::kFill;
  trace.events = {fill, kernel(3, 10, 110, 1), kernel(4, 120, 130, 0), kernel(3, 200, 500)};
  trace.steps.push_back({.name = "step", .phase = Phase::kDecode, .n_sequences = 4});
  trace.events[1].step = 0;
  trace.events[2].step = 0;
  trace.events[3].launch = Launch::kMissing;
  return trace;
}

class Summary : public ::testing::Test {
 protected:
  NameRules rules_{data_dir() / "rules"};
  GpuProfile profile_ = summarize(small_trace(), rules_);
};

TEST_F(Summary, ListsFamiliesByTime) {
  ASSERT_EQ(profile_.families.size(), 3U);
  EXPECT_EQ(profile_.families[0].family, KernelFamily::kGemm);
  EXPECT_EQ(profile_.families[0].times.n, 2);
  EXPECT_EQ(profile_.families[0].times.total_ns, 400);
  EXPECT_EQ(profile_.families[0].times.min_ns, 100);
  EXPECT_EQ(profile_.families[0].times.max_ns, 300);
}

TEST_F(Summary, TimeOfAnOperatorIsWhatItLaunched) {
  ASSERT_EQ(profile_.ops.size(), 1U);
  EXPECT_EQ(profile_.ops[0].name, "aten::mm");
  EXPECT_EQ(profile_.ops[0].calls.n, 1);
  EXPECT_EQ(profile_.ops[0].calls.total_ns, 110);  // fill and product; the elementwise kernel is the outer operator's
}

TEST_F(Summary, StepsAddUpToPhases) {
  ASSERT_EQ(profile_.phases.size(), 1U);
  EXPECT_EQ(profile_.phases[0].label, "decode");
  EXPECT_EQ(profile_.phases[0].gpu_ns, 110);
  EXPECT_EQ(profile_.phases[0].n_sequences, 4);
}

TEST_F(Summary, WhatWasLaunchedInTheRecordingHasItsOwnTimeline) {
  ASSERT_EQ(profile_.launched_timelines.size(), 1U);
  EXPECT_EQ(profile_.launched_timelines[0].span_ns, 130);
  EXPECT_EQ(profile_.timelines[0].span_ns, 500);
}

DeviceSpec round_device() {
  DeviceSpec device;
  device.memory.emplace_back().bandwidth = BytesPerSecond{2e12};
  device.peaks = {{ComputeType::kBf16, FlopsPerSecond{100e12}}};
  return device;
}

TracedOpTimes timed_op(double flops, double bytes, std::int64_t total_ns) {
  TracedOpTimes op;
  op.op.cost.flops = Flops{flops};
  op.op.cost.activation_bytes = Bytes{bytes};
  op.calls.n = 2;
  op.calls.total_ns = total_ns;
  return op;
}

TEST(JudgeTracedOp, HoldsCountedWorkAgainstListedRoofs) {
  // Two calls of 80e6 FLOP in 2 µs are 80 TFLOP/s of 100; two of 1e6 B are 1 TB/s of 2.
  const auto verdict = judge_traced_op(timed_op(80e6, 1e6, 2000), round_device(), 0.6);
  ASSERT_TRUE(verdict);
  EXPECT_EQ(verdict->bound, Bound::kCompute);
  EXPECT_DOUBLE_EQ(verdict->utilisation.compute, 0.8);
  EXPECT_DOUBLE_EQ(verdict->utilisation.memory, 0.5);
}

TEST(JudgeTracedOp, SaysNothingWithoutARoof) {
  DeviceSpec device = round_device();
  device.peaks.clear();
  EXPECT_FALSE(judge_traced_op(timed_op(1, 1, 1), device, 0.6));
}

TEST(JudgeCounters, TakesTheSharesAsMeasured) {
  const CounterKernel kernel{.time = Seconds{1e-6}, .memory_share = 0.8, .compute_share = 0.1};
  EXPECT_EQ(judge_counters(kernel, 0.6)->bound, Bound::kMemory);
  EXPECT_EQ(judge_counters(kernel, 0.9)->bound, Bound::kLatency);
  EXPECT_FALSE(judge_counters({.time = Seconds{1e-6}, .memory_share = 0.8}, 0.6));
}

}  // namespace
}  // namespace dachlast
