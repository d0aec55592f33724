#include "core/store/attach_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/error.h"
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
