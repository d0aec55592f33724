#include "core/profile/sampled_counters.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

NameRules rules() {
  return NameRules(data_dir() / "rules");
}

/// One prefill step and one decode step; kernels by number: 0 and 1 are products, 2 attention.
GpuTrace trace_of() {
  GpuTrace trace;
  trace.names = {"gemm_a", "gemm_b", "flash_fwd_kernel"};
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    TraceStep step;
    step.phase = phase;
    trace.steps.push_back(step);
  }
  return trace;
}

GpuEvent event(std::uint32_t name, std::int32_t step, std::int64_t start_ns, std::int64_t end_ns) {
  GpuEvent made;
  made.name = name;
  made.step = step;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  return made;
}

DeviceSample sample(std::int64_t start_ns, std::int64_t end_ns, double read_bytes, std::int64_t uncertainty_ns = 0) {
  return {start_ns, end_ns, uncertainty_ns, 0, Bytes{read_bytes}, Bytes{read_bytes / 4.0}};
}

const SampledCounters& row(const SampledProfile& profile, SampleGroup group, const std::string& label) {
  static const SampledCounters none;
  for (const SampledCounters& counters : profile.rows)
    if (counters.group == group && counters.label == label) return counters;
  ADD_FAILURE() << label;
  return none;
}

TEST(SampledCounters, AlignedSamplesAreTheKernelsOwn) {
  GpuTrace trace = trace_of();
  trace.events = {event(0, 0, 0, 200), event(2, 1, 200, 300)};
  trace.samples = {sample(0, 100, 1000), sample(100, 200, 3000), sample(200, 300, 500)};
  const SampledProfile profile = sampled_counters(trace, rules());
  const SampledCounters& prefill = row(profile, SampleGroup::kPhase, "prefill");
  EXPECT_EQ(prefill.n_samples, 2);
  EXPECT_EQ(prefill.busy_ns, 200);
  EXPECT_DOUBLE_EQ(prefill.coverage(), 1.0);
  EXPECT_DOUBLE_EQ(prefill.read.value, 4000.0);
  EXPECT_DOUBLE_EQ(prefill.read_rate()->value, 4000.0 / 200e-9);
  EXPECT_DOUBLE_EQ(prefill.written_rate()->value, 1000.0 / 200e-9);
  EXPECT_DOUBLE_EQ(row(profile, SampleGroup::kFamily, "attention").read.value, 500.0);
  EXPECT_DOUBLE_EQ(row(profile, SampleGroup::kKernel, "gemm_a").read.value, 4000.0);
  ASSERT_EQ(profile.devices.size(), 1U);
  EXPECT_DOUBLE_EQ(profile.devices[0].read.value, 4500.0);
  EXPECT_EQ(profile.devices[0].n_straddling, (std::array<std::int64_t, 3>{0, 0, 0}));
  EXPECT_EQ(profile.devices[0].n_idle, 0);
}

TEST(SampledCounters, OffsetByLessThanTheUncertaintyIsNobodysAtTheEdge) {
  GpuTrace trace = trace_of();
  trace.events = {event(0, 0, 0, 300), event(2, 1, 300, 600)};
  // Give or take 50: samples 2 and 3 reach into the other phase, samples 0, 1, 4 and 5 do not.
  for (std::int64_t at = 0; at < 600; at += 100) trace.samples.push_back(sample(at, at + 100, 10, 50));
  const SampledProfile profile = sampled_counters(trace, rules());
  EXPECT_EQ(row(profile, SampleGroup::kPhase, "prefill").n_samples, 2);
  EXPECT_EQ(row(profile, SampleGroup::kPhase, "decode").n_samples, 2);
  EXPECT_NEAR(row(profile, SampleGroup::kPhase, "decode").coverage(), 2.0 / 3.0, 1e-12);
  EXPECT_EQ(profile.devices.at(0).n_straddling[0], 2);
  EXPECT_EQ(profile.devices.at(0).uncertainty_ns, 50);
}

TEST(SampledCounters, StraddlersAreCountedByKindAndNeverSplit) {
  GpuTrace trace = trace_of();
  // Two products of one family and step within one sample; then a product and attention of the same step within another.
  trace.events = {event(0, 0, 0, 40), event(1, 0, 50, 100), event(1, 0, 100, 150), event(2, 0, 150, 200)};
  trace.samples = {sample(0, 100, 1000), sample(100, 200, 2000)};
  const SampledProfile profile = sampled_counters(trace, rules());
  EXPECT_EQ(row(profile, SampleGroup::kPhase, "prefill").n_samples, 2);
  EXPECT_EQ(row(profile, SampleGroup::kPhase, "prefill").covered_ns, 190);  // 40 + 50 + 50 + 50
  const SampledCounters& gemm = row(profile, SampleGroup::kFamily, "gemm");
  EXPECT_EQ(gemm.n_samples, 1);
  EXPECT_DOUBLE_EQ(gemm.read.value, 1000.0);
  EXPECT_EQ(gemm.covered_ns, 90);
  EXPECT_EQ(gemm.busy_ns, 140);
  EXPECT_EQ(row(profile, SampleGroup::kFamily, "attention").n_samples, 0);
  EXPECT_FALSE(row(profile, SampleGroup::kFamily, "attention").read_rate());
  EXPECT_EQ(profile.devices.at(0).n_straddling, (std::array<std::int64_t, 3>{0, 1, 2}));
}

TEST(SampledCounters, WorkOutsideOfStepsTakesAPhasesSamples) {
  GpuTrace trace = trace_of();
  trace.events = {event(0, 0, 0, 100), event(0, kNoIndex, 50, 150)};
  trace.samples = {sample(0, 100, 1000), sample(100, 150, 70)};
  const SampledProfile profile = sampled_counters(trace, rules());
  EXPECT_EQ(row(profile, SampleGroup::kPhase, "prefill").n_samples, 0);
  EXPECT_EQ(profile.devices.at(0).n_straddling[0], 1);
  const SampledCounters& kernel = row(profile, SampleGroup::kKernel, "gemm_a");
  EXPECT_EQ(kernel.n_samples, 2);
  EXPECT_EQ(kernel.busy_ns, 150);  // the calls overlap
  EXPECT_EQ(kernel.covered_ns, 150);
}

TEST(SampledCounters, IdleUnplacedAndNoSamples) {
  GpuTrace trace = trace_of();
  trace.events = {event(0, 0, 0, 100)};
  EXPECT_TRUE(sampled_counters(trace, rules()).devices.empty());
  EXPECT_TRUE(sampled_counters(trace, rules()).rows.empty());
  trace.samples = {sample(500, 600, 8), sample(700, 700, 1e9)};  // the second has no length
  trace.samples.push_back({0, 100, std::nullopt, 0, Bytes{5}, Bytes{0}});
  const SampledProfile profile = sampled_counters(trace, rules());
  EXPECT_EQ(profile.devices.at(0).n_samples, 2);
  EXPECT_EQ(profile.devices.at(0).n_idle, 1);
  EXPECT_EQ(profile.devices.at(0).n_unplaced, 1);
  EXPECT_DOUBLE_EQ(profile.devices.at(0).read.value, 13.0);
  EXPECT_EQ(row(profile, SampleGroup::kKernel, "gemm_a").n_samples, 0);
  EXPECT_DOUBLE_EQ(row(profile, SampleGroup::kKernel, "gemm_a").coverage(), 0.0);
}

TEST(SampledCounters, OrderDoesNotMatterAndDevicesStayApart) {
  GpuTrace trace = trace_of();
  trace.events = {event(2, 1, 200, 300), event(0, 0, 0, 200)};
  trace.events.push_back(event(1, 0, 0, 300));
  trace.events.back().device = 1;
  trace.samples = {sample(200, 300, 500), sample(100, 200, 3000, 0), sample(0, 100, 1000)};
  trace.samples.push_back(sample(0, 300, 77));
  trace.samples.back().device = 1;
  const SampledProfile profile = sampled_counters(trace, rules());
  ASSERT_EQ(profile.devices.size(), 2U);
  EXPECT_DOUBLE_EQ(row(profile, SampleGroup::kKernel, "gemm_a").read.value, 4000.0);
  EXPECT_DOUBLE_EQ(row(profile, SampleGroup::kKernel, "flash_fwd_kernel").read.value, 500.0);
  EXPECT_DOUBLE_EQ(row(profile, SampleGroup::kKernel, "gemm_b").read.value, 77.0);
  EXPECT_EQ(row(profile, SampleGroup::kKernel, "gemm_b").device, 1);
}

TEST(SampledCounters, ALongSampleAmongShortOnesStillFindsItsKernel) {
  GpuTrace trace = trace_of();
  trace.events = {event(0, 0, 0, 10), event(2, 0, 10, 1000)};
  // The second may lie anywhere from 0 on: it is nobody's. The third is attention's, whatever the second had taken in.
  trace.samples = {sample(20, 30, 1), sample(40, 50, 2, 40), sample(60, 70, 4)};
  const SampledProfile profile = sampled_counters(trace, rules());
  const SampledCounters& attention = row(profile, SampleGroup::kKernel, "flash_fwd_kernel");
  EXPECT_EQ(attention.n_samples, 2);
  EXPECT_DOUBLE_EQ(attention.read.value, 5.0);
}

TEST(SampledCounters, SharesStandOnlyOnEnoughCoverage) {
  SampledCounters counters;
  counters.busy_ns = 1000;
  counters.covered_ns = 800;
  counters.n_samples = 10;
  counters.read = Bytes{600};
  counters.written = Bytes{200};
  // 800 bytes in 800 ns are 1 GB/s: a quarter of 4 GB/s.
  EXPECT_DOUBLE_EQ(sampled_memory_share(counters, BytesPerSecond{4e9}).value(), 0.25);
  counters.n_samples = 9;
  EXPECT_FALSE(sampled_memory_share(counters, BytesPerSecond{4e9}));
  counters.n_samples = 10;
  counters.covered_ns = 799;
  EXPECT_FALSE(sampled_memory_share(counters, BytesPerSecond{4e9}));
  EXPECT_FALSE(sampled_memory_share({}, BytesPerSecond{4e9}));
}

}  // namespace
}  // namespace dachlast
