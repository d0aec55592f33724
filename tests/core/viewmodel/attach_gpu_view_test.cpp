#include "core/viewmodel/attach_gpu_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/viewmodel/format.h"

namespace dachlast::viewmodel {
namespace {

using ::testing::HasSubstr;

std::string text_of(const Table& table, std::size_t row, const std::string& key) {
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    if (table.columns[i].key == key) return table.rows.at(row).at(i).text;
  ADD_FAILURE() << key;
  return {};
}

AttachGpuView view_of(const AttachedGpuPart& gpu, const std::vector<PhaseDevice>& phases = {}) {
  return attach_gpu_view(gpu, {}, phases, {});
}

std::string remark_of(const AttachGpuView& view, const std::string& code) {
  for (const Remark& remark : view.remarks)
    if (remark.code == code) return plain_spaces(remark.text);
  return {};
}

TEST(AttachGpuView, NothingRecordedIsNothingSaid) {
  const AttachGpuView view = view_of({});
  EXPECT_TRUE(view.remarks.empty());
  EXPECT_TRUE(view.phase_devices.rows.empty());
  EXPECT_TRUE(view.host_times.rows.empty());
  EXPECT_TRUE(view.memory.rows.empty());
}

TEST(AttachGpuView, PhasesShowBusyShareAndLaunchGaps) {
  PhaseDevice decode{"decode", 0, 2, 1'000'000, 250'000, 0, 0, 500'000};
  PhaseDevice prefill{"prefill", 0, 1, 0, 0, 0, 0, std::nullopt};
  const AttachGpuView view = view_of({}, {decode, prefill});
  EXPECT_THAT(text_of(view.phase_devices, 0, "busy_share"), HasSubstr("25"));  // 250 of 1000 µs
  EXPECT_THAT(text_of(view.phase_devices, 0, "launch_gap_s"), HasSubstr("500"));
  EXPECT_EQ(text_of(view.phase_devices, 1, "launch_gap_s"), text_of(view.phase_devices, 1, "busy_share"));  // absent
}

TEST(AttachGpuView, HostTimesOfAllProcessesAddUp) {
  AttachedGpuPart gpu;
  gpu.host_times = {{0, HostTimeKind::kCall, "cudaLaunchKernel", 2, 100},
                    {1, HostTimeKind::kCall, "cudaLaunchKernel", 3, 200},
                    {0, HostTimeKind::kWait, "for a stream", 1, 1000}};
  const AttachGpuView view = view_of(gpu);
  ASSERT_EQ(view.host_times.rows.size(), 2U);
  EXPECT_EQ(text_of(view.host_times, 0, "name"), "for a stream");  // the longest first
  EXPECT_EQ(text_of(view.host_times, 1, "n"), "5");
}

TEST(AttachGpuView, LossesOverheadAndNotesAreSaid) {
  AttachedGpuPart gpu;
  gpu.losses = {{0, 3, 1, 40, {"no counters: restricted"}}, {1, 4, 0, 0, {"no counters: restricted"}}};
  gpu.host_times = {{0, HostTimeKind::kOverhead, "CUPTI's instrumentation", 2, 5'000'000}};
  gpu.work.resize(2);
  const AttachGpuView view = view_of(gpu);
  EXPECT_THAT(remark_of(view, "gpu_dropped"), HasSubstr("7 records"));
  EXPECT_THAT(remark_of(view, "gpu_unknown"), HasSubstr("1 record"));
  EXPECT_THAT(remark_of(view, "gpu_lost"), HasSubstr("40 bytes"));
  EXPECT_EQ(remark_of(view, "gpu_note"), "no counters: restricted.");
  EXPECT_THAT(remark_of(view, "gpu_overhead"), HasSubstr("5"));
  EXPECT_THAT(remark_of(view, "gpu_unlaunched"), HasSubstr("2 events"));
  EXPECT_EQ(view.remarks.size(), 6U);  // the same note of two processes once
}

/// A phase whose samples cover nine tenths of its second, and a family that hardly any sample is alone with.
GpuProfile sampled_profile() {
  GpuProfile profile;
  SampledCounters decode;
  decode.label = "decode";
  decode.busy_ns = 1'000'000'000;
  decode.covered_ns = 900'000'000;
  decode.n_samples = 9000;
  decode.read = Bytes{1.62e12};
  decode.written = Bytes{0.18e12};
  SampledCounters gemm = decode;
  gemm.group = SampleGroup::kFamily;
  gemm.label = "gemm";
  gemm.covered_ns = 10'000'000;
  profile.sampled.rows = {decode, gemm};
  SampledDevice device;
  device.n_samples = 10'000;
  device.n_straddling = {1, 20, 300};
  device.uncertainty_ns = 120'000;
  profile.sampled.devices = {device};
  return profile;
}

ProfileViewOptions on_device(double bytes_per_s) {
  ProfileViewOptions options;
  options.device = DeviceSpec{};
  options.device->memory.resize(1);
  options.device->memory[0].bandwidth = BytesPerSecond{bytes_per_s};
  return options;
}

TEST(AttachGpuView, SampledSharesStandWhereTheyCoverEnough) {
  // 1.8e12 bytes in 0.9 s are 2 TB/s: half of 4 TB/s, which is below the threshold of 60 %.
  const AttachGpuView view = attach_gpu_view({}, sampled_profile(), {}, on_device(4e12));
  EXPECT_THAT(text_of(view.sampled, 0, "memory_share"), HasSubstr("50"));
  EXPECT_EQ(text_of(view.sampled, 0, "memory_roof"), "not reached");
  EXPECT_EQ(text_of(view.sampled, 1, "name"), "GEMM");
  EXPECT_EQ(text_of(view.sampled, 1, "memory_share"), kMissing);
  EXPECT_EQ(text_of(view.sampled, 1, "memory_roof"), kMissing);
  ASSERT_FALSE(view.sampled.notes.empty());
  EXPECT_THAT(plain_spaces(view.sampled.notes[0]), HasSubstr("at least 80 %"));
  EXPECT_EQ(text_of(view.sampled_devices, 0, "across_kernels"), "300");
  EXPECT_THAT(text_of(view.sampled_devices, 0, "uncertainty_s"), HasSubstr("120"));
  ASSERT_EQ(view.profile.answer.size(), 1U);
  EXPECT_EQ(plain_spaces(view.profile.answer[0]),
            "decode on GPU 0: 50 % of the memory bandwidth, sampled over 90 % of its time: not memory-bound.");
}

TEST(AttachGpuView, SampledPhasesAtTheRoofAreMemoryBound) {
  const AttachGpuView view = attach_gpu_view({}, sampled_profile(), {}, on_device(2.5e12));  // 2 of 2.5 TB/s
  EXPECT_EQ(text_of(view.sampled, 0, "memory_roof"), "reached");
  EXPECT_THAT(view.profile.answer.at(0), HasSubstr(": memory-bound."));
}

TEST(AttachGpuView, SamplesWithoutAKnownRoofKeepTheirRates) {
  const AttachGpuView view = attach_gpu_view({}, sampled_profile(), {}, {});
  EXPECT_NE(text_of(view.sampled, 0, "dram_read_bytes_per_s"), kMissing);
  EXPECT_EQ(text_of(view.sampled, 0, "memory_share"), kMissing);
  EXPECT_THAT(view.sampled.notes.at(1), HasSubstr("No shares"));
  EXPECT_TRUE(view.profile.answer.empty());
}

}  // namespace
}  // namespace dachlast::viewmodel
