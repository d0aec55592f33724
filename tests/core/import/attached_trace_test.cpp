#include "core/import/attached_trace.h"

#include <gtest/gtest.h>

#include "core/model/model_source.h"

namespace dachlast {
namespace {

NameRules rules() {
  return NameRules(data_dir() / "rules");
}

AttachedRange range(std::int32_t thread, std::int32_t name, std::int64_t start_ns, std::int64_t end_ns,
                    RangeEnd end = RangeEnd::kPopped) {
  AttachedRange made;
  made.thread = thread;
  made.name = name;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.end = end;
  return made;
}

AttachedWork work(std::int32_t name, std::int32_t thread, std::int64_t launch_ns, std::int64_t start_ns) {
  AttachedWork made;
  made.name = name;
  made.thread = thread;
  made.launch_start_ns = launch_ns;
  made.launch_end_ns = launch_ns + 1;
  made.start_ns = start_ns;
  made.end_ns = start_ns + 10;
  return made;
}

AttachRecord record() {
  AttachRecord made;
  made.processes = {{1, 0, "engine"}};
  made.threads = {{0, 1, "main", 0}, {0, 2, "worker", 0}};
  made.names = {"", "decode step 7", "attention", "layer 3", "flash_fwd_kernel", "ncclDevKernel_AllReduce", "other"};
  made.ranges = {range(0, 1, 0, 100), range(0, 3, 10, 60), range(0, 2, 20, 50), range(1, 6, 0, 1000),
                 range(0, 6, 0, 1000, RangeEnd::kStopped)};
  made.gpu.gpus = {{0, "NVIDIA H100 80GB HBM3", 0, 132, 90}};
  return made;
}

TEST(AttachedTrace, WorkStandsUnderTheInnermostRangeOfItsThread) {
  AttachRecord attached = record();
  attached.gpu.work = {work(4, 0, 30, 200), work(4, 0, 55, 220), work(4, 1, 30, 240), work(4, kNoThread, 0, 260)};
  const GpuTrace trace = attached_trace(attached, rules());
  const auto op_of = [&](std::size_t i) {
    const std::int32_t op = trace.events.at(i).host_op;
    return op == kNoIndex ? std::string() : trace.names[trace.host_ops[static_cast<std::size_t>(op)].name];
  };
  EXPECT_EQ(op_of(0), "attention");
  EXPECT_EQ(op_of(1), "layer 3");  // attention was over; ranges that end by number take nothing
  EXPECT_EQ(op_of(2), "other");    // the other thread's
  EXPECT_EQ(op_of(3), "");
  ASSERT_EQ(trace.steps.size(), 1U);
  EXPECT_EQ(trace.steps[0].phase, Phase::kDecode);
  EXPECT_EQ(trace.events[0].step, 0);
  EXPECT_EQ(trace.events[2].step, kNoIndex);
  EXPECT_EQ(trace.events[3].launch, Launch::kMissing);
  EXPECT_EQ(trace.events[0].launch_ns, 30);
  EXPECT_FALSE(trace.events[3].launch_ns);
}

TEST(AttachedTrace, PayloadsNameLayers) {
  AttachRecord attached = record();
  const auto layer_with = [&](const char* payload) {
    attached.ranges[2].payload = payload;  // of "attention"
    attached.gpu.work = {work(4, 0, 30, 200)};
    const GpuTrace trace = attached_trace(attached, rules());
    return trace.host_ops[static_cast<std::size_t>(trace.events.at(0).host_op)].layer;
  };
  EXPECT_EQ(layer_with("layer=7 tokens=512"), 7);
  EXPECT_EQ(layer_with("tokens=512 layer=7"), 7);
  EXPECT_EQ(layer_with("layer=-1 tokens=512"), kNoIndex);  // outside of the layers
  EXPECT_EQ(layer_with("n_layer=7"), kNoIndex);
  EXPECT_EQ(layer_with("layer=?"), kNoIndex);
  EXPECT_EQ(layer_with("4096"), kNoIndex);
  EXPECT_EQ(layer_with(""), kNoIndex);
}

TEST(AttachedTrace, FamiliesAndPhasesAreThoseOfRecordings) {
  AttachRecord attached = record();
  attached.gpu.work = {work(4, 0, 30, 200), work(5, 0, 30, 300)};
  attached.gpu.work.push_back(work(6, 0, 40, 400));
  attached.gpu.work.back().activity = AttachedActivity::kCopy;
  const GpuProfile profile = summarize(attached_trace(attached, rules()), rules());
  ASSERT_EQ(profile.timelines.size(), 1U);
  EXPECT_EQ(profile.timelines[0].communication_ns, 10);
  EXPECT_EQ(profile.timelines[0].copy_ns, 10);
  ASSERT_EQ(profile.phases.size(), 1U);
  EXPECT_EQ(profile.phases[0].label, "decode");
  EXPECT_EQ(profile.phases[0].gpu_ns, 30);
  EXPECT_EQ(profile.devices.at(0).name, "NVIDIA H100 80GB HBM3");
}

TEST(AttachedCounters, AddUpToWorkWhereBothUnitsWereCounted) {
  AttachRecord attached = record();
  attached.names = {"gemm",      "time_ns",   "dram_read_bytes", "tensor_bf16",
                    "fp32_ffma", "fp32_fadd", "fp32_fmul",       "sm_share_percent"};
  const auto counter = [](std::int32_t launch, std::int32_t metric, double value) {
    return AttachedCounter{0, launch, 0, metric, value};
  };
  attached.gpu.counters = {counter(0, 1, 2000), counter(0, 2, 4096), counter(0, 3, 1'000'000), counter(0, 4, 100),
                           counter(0, 5, 10),   counter(0, 6, 1),    counter(0, 7, 62.5),      counter(1, 3, 5)};
  const auto kernels = attached_counters(attached, rules());
  ASSERT_EQ(kernels.size(), 2U);
  EXPECT_EQ(kernels[0].family, KernelFamily::kGemm);
  EXPECT_DOUBLE_EQ(kernels[0].time->value, 2e-6);
  EXPECT_DOUBLE_EQ(kernels[0].read_bytes->value, 4096);
  EXPECT_DOUBLE_EQ(kernels[0].flops->value, 1'000'211);  // tensor + 2·100 + 10 + 1
  EXPECT_DOUBLE_EQ(*kernels[0].compute_share, 0.625);
  EXPECT_FALSE(kernels[0].memory_share);
  EXPECT_FALSE(kernels[1].flops);  // FP32 was not counted
}

}  // namespace
}  // namespace dachlast
