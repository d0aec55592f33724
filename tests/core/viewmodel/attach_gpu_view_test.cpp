#include "core/viewmodel/attach_gpu_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    if (remark.code == code) return remark.text;
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

}  // namespace
}  // namespace dachlast::viewmodel
