#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "core/collect/launch.h"
#include "core/collect/nvtx/spool_reader.h"
#include "tests/core/store/temporary_folder.h"

// A program runs with both libraries loaded, over a stand-in for CUPTI and an empty driver: the injection library itself,
// its buffers, thread and file are the real ones.
namespace dachlast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Recorded {
  ProgramEnd end;
  AttachRecord record;
};

Recorded recorded(const std::string& how, const std::vector<EnvironmentEntry>& more = {}) {
  const testing::TemporaryFolder folder;
  const std::vector<std::string> command = {DACHLAST_GPU_PROGRAM, how};
  std::vector<EnvironmentEntry> environment = {{"CUDA_INJECTION64_PATH", DACHLAST_CUPTI_LIBRARY},
                                               {"NVTX_INJECTION64_PATH", DACHLAST_NVTX_LIBRARY},
                                               {"LD_LIBRARY_PATH", DACHLAST_FAKE_CUDA_DIR},
                                               {"DACHLAST_ATTACH_DIR", folder.path().string()},
                                               {"DACHLAST_ATTACH_MAX_MIB", "64"}};
  environment.insert(environment.end(), more.begin(), more.end());
  Recorded result;
  result.end = run_program(command, environment);
  result.record = read_spools(folder.path());
  return result;
}

std::string text(const AttachRecord& record, std::int32_t index) {
  return record.names.at(static_cast<std::size_t>(index));
}

const AttachedWork& work_named(const AttachRecord& record, const std::string& name) {
  static const AttachedWork none;
  for (const AttachedWork& work : record.gpu.work)
    if (text(record, work.name) == name) return work;
  ADD_FAILURE() << name;
  return none;
}

const AttachedRange& range_named(const AttachRecord& record, const std::string& name) {
  static const AttachedRange none;
  for (const AttachedRange& range : record.ranges)
    if (text(record, range.name) == name) return range;
  ADD_FAILURE() << name;
  return none;
}

TEST(GpuAttach, WorkMeetsTheThreadAndRangeThatAskedForIt) {
  const auto [end, record] = recorded("exit");
  EXPECT_EQ(end.exit_code, 5);
  const AttachedWork& attention =
      work_named(record, "void attend<128>(float*)");  // as the compiler writes it: demangled
  const AttachedRange& range = range_named(record, "attention");
  EXPECT_EQ(attention.thread, range.thread);
  EXPECT_GE(attention.launch_start_ns, range.start_ns);
  EXPECT_LE(attention.launch_start_ns, range.end_ns);
  EXPECT_NEAR(static_cast<double>(attention.end_ns - attention.start_ns), 50'000.0, 50.0);  // clocks may be slewed
  EXPECT_EQ(attention.grid[0], 8);
  EXPECT_EQ(attention.block[0], 128);
  const AttachedWork& gemm = work_named(record, "gemm_bf16");
  EXPECT_GE(gemm.launch_start_ns, range.end_ns);
  EXPECT_LE(gemm.launch_start_ns, range_named(record, "decode step 7").end_ns);
}

TEST(GpuAttach, OneProcessForRangesAndWork) {
  const AttachRecord record = recorded("exit").record;
  ASSERT_EQ(record.processes.size(), 1U);
  EXPECT_EQ(record.gpu.work.size(), 3U);
  const AttachedWork& other = work_named(record, "unannotated");
  ASSERT_EQ(record.threads.size(), 2U);  // the second one annotated nothing and is known by its call alone
  EXPECT_EQ(other.thread, 1);
  EXPECT_NE(record.threads[0].tid, record.threads[1].tid);
}

TEST(GpuAttach, DevicesMemoryCallsAndRefusals) {
  const AttachRecord record = recorded("exit").record;
  ASSERT_EQ(record.gpu.gpus.size(), 1U);
  EXPECT_EQ(record.gpu.gpus[0].name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(record.gpu.gpus[0].compute_capability, 90);
  ASSERT_EQ(record.gpu.memory.size(), 1U);
  EXPECT_EQ(record.gpu.memory[0].kind, "device");
  EXPECT_EQ(record.gpu.memory[0].peak_bytes, 1 << 20);
  ASSERT_EQ(record.gpu.host_times.size(), 1U);
  EXPECT_EQ(record.gpu.host_times[0].name, "cudaLaunchKernel");
  EXPECT_EQ(record.gpu.host_times[0].n, 3);
  ASSERT_EQ(record.gpu.losses.size(), 1U);
  EXPECT_EQ(record.gpu.losses[0].n_dropped, 0);
  EXPECT_THAT(record.gpu.losses[0].notes, ElementsAre(HasSubstr("CUPTI records no memory pools")));
}

TEST(GpuAttach, WhatWasFlushedSurvivesTheKill) {
  const auto [end, record] = recorded("kill");
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_EQ(record.gpu.work.size(), 2U);
}

TEST(GpuAttach, ForkedChildrenWriteNothingOfTheirParents) {
  const auto [end, record] = recorded("fork");
  EXPECT_EQ(end.exit_code, 5);
  EXPECT_EQ(record.gpu.work.size(), 3U);
  EXPECT_EQ(record.gpu.losses.size(), 1U);
}

TEST(GpuAttach, CountersTakeThePlaceOfTheTimeline) {
  const auto [end, record] =
      recorded("exit", {{"DACHLAST_ATTACH_COUNTERS", "traffic"}, {"DACHLAST_METRIC_SETS", DACHLAST_METRIC_SETS_DIR}});
  EXPECT_EQ(end.exit_code, 5);
  EXPECT_TRUE(record.gpu.work.empty());            // times under replay mean nothing
  ASSERT_EQ(record.gpu.counters.size(), 3U * 4U);  // three launches, four counters of traffic on a GH100
  const AttachedCounter& last = record.gpu.counters.back();
  EXPECT_EQ(last.range, 2);
  EXPECT_EQ(text(record, last.kernel), "unannotated");
  EXPECT_EQ(text(record, last.metric), "dram_write_bytes");
  EXPECT_DOUBLE_EQ(last.value, 2003.0);  // third range, fourth metric
  EXPECT_EQ(text(record, record.gpu.counters[0].kernel), "void attend<128>(float*)");
}

TEST(GpuAttach, RefusedCountersLeaveATimelineAndTheCause) {
  const AttachRecord record = recorded("exit", {{"DACHLAST_ATTACH_COUNTERS", "traffic"},
                                                {"DACHLAST_METRIC_SETS", DACHLAST_METRIC_SETS_DIR},
                                                {"FAKE_CUPTI_REFUSES", "35"}})
                                  .record;
  EXPECT_TRUE(record.gpu.counters.empty());
  EXPECT_EQ(record.gpu.work.size(), 3U);
  ASSERT_EQ(record.gpu.losses.size(), 1U);
  EXPECT_THAT(record.gpu.losses[0].notes.at(0), HasSubstr("restricted to administrators"));
}

TEST(GpuAttach, UnknownSetsAreRefusedWithTheKnownOnes) {
  const AttachRecord record =
      recorded("exit", {{"DACHLAST_ATTACH_COUNTERS", "trafic"}, {"DACHLAST_METRIC_SETS", DACHLAST_METRIC_SETS_DIR}})
          .record;
  EXPECT_EQ(record.gpu.work.size(), 3U);
  EXPECT_THAT(record.gpu.losses.at(0).notes.at(0), HasSubstr("traffic, fp32"));
}

TEST(GpuAttach, WithoutADriverTheLibraryRefusesAndSaysWhy) {
  if (std::filesystem::exists("/proc/driver/nvidia/version")) GTEST_SKIP() << "this computer has a driver";
  const testing::TemporaryFolder folder;
  const std::vector<std::string> command = {DACHLAST_GPU_PROGRAM, "exit"};
  const std::vector<EnvironmentEntry> environment = {{"CUDA_INJECTION64_PATH", DACHLAST_CUPTI_LIBRARY},
                                                     {"DACHLAST_ATTACH_DIR", folder.path().string()}};
  EXPECT_EQ(run_program(command, environment).exit_code, 2);  // InitializeInjection returned 0, and nothing crashed
  const AttachRecord record = read_spools(folder.path());
  ASSERT_EQ(record.gpu.losses.size(), 1U);
  EXPECT_THAT(record.gpu.losses[0].notes, ElementsAre("no CUDA driver is installed"));
}

}  // namespace
}  // namespace dachlast
