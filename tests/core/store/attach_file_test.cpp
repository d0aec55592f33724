#include "core/store/attach_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
#include "core/store/database.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

AttachRecord small_record() {
  AttachRecord record;
  record.command = "./engine --model m";
  record.started_at = "2026-03-01T14:05:02Z";
  record.signal = 9;
  record.processes = {{100, 1, "./engine --model m"}};
  record.threads = {{0, 100, "main", 5}};
  record.names = {"", "step", "engine"};
  AttachedRange range;
  range.start_ns = 1'000'000'000'123;
  range.end_ns = 1'000'000'000'456;
  range.name = 1;
  range.domain = 2;
  range.depth = 3;
  range.end = RangeEnd::kCut;
  range.payload = "layer=3";
  record.ranges = {range};
  return record;
}

TEST(AttachFile, ReadsBackWhatWasWritten) {
  const testing::TemporaryFolder folder;
  write_attach_file(folder / "a.dachlast", small_record(), IfExists::kRefuse);
  EXPECT_TRUE(is_attach_file(folder / "a.dachlast"));
  const AttachRecord read = read_attach_file(folder / "a.dachlast");
  EXPECT_EQ(read.command, "./engine --model m");
  EXPECT_EQ(read.signal, 9);
  EXPECT_FALSE(read.exit_code);
  EXPECT_EQ(read.threads.at(0).n_dropped, 5);
  EXPECT_EQ(read.names, small_record().names);
  ASSERT_EQ(read.ranges.size(), 1U);
  EXPECT_EQ(read.ranges[0].start_ns, 1'000'000'000'123);
  EXPECT_EQ(read.ranges[0].end_ns, 1'000'000'000'456);
  EXPECT_EQ(read.ranges[0].end, RangeEnd::kCut);
  EXPECT_EQ(read.ranges[0].payload, "layer=3");
  EXPECT_EQ(folder.n_files(), 1);
}

TEST(AttachFile, KeepsWhatGpusDid) {
  const testing::TemporaryFolder folder;
  AttachRecord record = small_record();
  record.gpu.gpus = {{0, "NVIDIA H100 80GB HBM3", 85'000'000'000, 132, 90}};
  AttachedWork launched;
  launched.start_ns = 100;
  launched.end_ns = 200;
  launched.thread = 0;
  launched.launch_start_ns = 90;
  launched.launch_end_ns = 95;
  launched.name = 1;
  launched.grid = {8, 4, 2};
  launched.block = {128, 1, 1};
  launched.registers = 168;
  launched.shared_bytes = 99'328;
  AttachedWork copied;
  copied.activity = AttachedActivity::kCopy;
  copied.bytes = 4096;
  record.gpu.work = {launched, copied};
  record.gpu.host_times = {{0, HostTimeKind::kWait, "for a stream", 3, 1000}};
  record.gpu.memory = {{0, 0, "device", 5, 1 << 20, 4096}};
  record.gpu.counters = {{0, 7, 1, 2, 0.5}};
  record.gpu.samples = {{100, 200, 7, 0, 0, 4096.0, 512.0}, {300, 400, std::nullopt, 0, 1, 1.0, 2.0}};
  record.gpu.losses = {{0, 1, 2, 3, {"first note", "second note"}}};
  write_attach_file(folder / "g.dachlast", record, IfExists::kRefuse);

  const AttachedGpuPart gpu = read_attach_file(folder / "g.dachlast").gpu;
  EXPECT_EQ(gpu.gpus.at(0).name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpu.gpus.at(0).memory_bytes, 85'000'000'000);
  ASSERT_EQ(gpu.work.size(), 2U);
  EXPECT_EQ(gpu.work[0].launch_end_ns, 95);
  EXPECT_EQ(gpu.work[0].grid, launched.grid);
  EXPECT_EQ(gpu.work[0].block, launched.block);
  EXPECT_EQ(gpu.work[0].registers, 168);
  EXPECT_EQ(gpu.work[0].shared_bytes, 99'328);
  EXPECT_EQ(gpu.work[1].activity, AttachedActivity::kCopy);
  EXPECT_EQ(gpu.work[1].thread, kNoThread);
  EXPECT_EQ(gpu.work[1].bytes, 4096);
  EXPECT_EQ(gpu.host_times.at(0).kind, HostTimeKind::kWait);
  EXPECT_EQ(gpu.host_times.at(0).total_ns, 1000);
  EXPECT_EQ(gpu.memory.at(0).peak_bytes, 1 << 20);
  EXPECT_EQ(gpu.counters.at(0).range, 7);
  EXPECT_DOUBLE_EQ(gpu.counters.at(0).value, 0.5);
  ASSERT_EQ(gpu.samples.size(), 2U);
  EXPECT_EQ(gpu.samples[0].start_ns, 100);
  EXPECT_EQ(gpu.samples[0].end_ns, 200);
  EXPECT_EQ(gpu.samples[0].uncertainty_ns, 7);
  EXPECT_DOUBLE_EQ(gpu.samples[0].read_bytes, 4096.0);
  EXPECT_DOUBLE_EQ(gpu.samples[0].written_bytes, 512.0);
  EXPECT_EQ(gpu.samples[1].uncertainty_ns, std::nullopt);
  EXPECT_EQ(gpu.samples[1].device, 1);
  EXPECT_EQ(gpu.losses.at(0).lost_bytes, 3);
  EXPECT_EQ(gpu.losses.at(0).notes, (std::vector<std::string>{"first note", "second note"}));
}

TEST(AttachFile, FilesFromBeforeSamplesAreRead) {
  const testing::TemporaryFolder folder;
  AttachRecord record = small_record();
  record.gpu.counters = {{0, 7, 1, 2, 0.5}};
  write_attach_file(folder / "a.dachlast", record, IfExists::kRefuse);
  Database(folder / "a.dachlast", DatabaseMode::kWrite).execute("DROP TABLE attach_sample; PRAGMA user_version = 9");
  const AttachRecord read = read_attach_file(folder / "a.dachlast");
  EXPECT_EQ(read.gpu.counters.size(), 1U);
  EXPECT_TRUE(read.gpu.samples.empty());
}

TEST(AttachFile, FilesFromBeforeGpusAreRead) {
  const testing::TemporaryFolder folder;
  write_attach_file(folder / "a.dachlast", small_record(), IfExists::kRefuse);
  Database(folder / "a.dachlast", DatabaseMode::kWrite)
      .execute(
          "DROP TABLE attach_sample; DROP TABLE attach_work; DROP TABLE attach_host_time; DROP TABLE attach_memory; "
          "DROP TABLE attach_counter; DROP TABLE attach_gpu_loss; DROP TABLE attach_gpu; PRAGMA user_version = 6");
  const AttachRecord read = read_attach_file(folder / "a.dachlast");
  EXPECT_EQ(read.ranges.size(), 1U);
  EXPECT_TRUE(read.gpu.work.empty());
}

TEST(AttachFile, IsNotOverwrittenUnasked) {
  const testing::TemporaryFolder folder;
  write_attach_file(folder / "a.dachlast", small_record(), IfExists::kRefuse);
  EXPECT_THROW(write_attach_file(folder / "a.dachlast", small_record(), IfExists::kRefuse), Error);
  EXPECT_NO_THROW(write_attach_file(folder / "a.dachlast", small_record(), IfExists::kOverwrite));
}

TEST(AttachFile, OtherFilesAreNone) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "text") << "no database";
  EXPECT_FALSE(is_attach_file(folder / "text"));
  EXPECT_FALSE(is_attach_file(folder / "missing"));
  EXPECT_THROW(read_attach_file(folder / "text"), Error);
}

}  // namespace
}  // namespace dachlast
