#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "core/base/error.h"
#include "core/collect/launch.h"
#include "core/collect/nvtx/spool_file.h"
#include "core/collect/nvtx/spool_reader.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using ::testing::HasSubstr;

constexpr const char* kProgram = DACHLAST_ANNOTATED_PROGRAM;

/// An annotated program run to its end, and what it left behind.
struct Attached {
  ProgramEnd end;
  AttachRecord record;
};

Attached attached(const std::string& how, const std::string& max_mib = "64", const char* program = kProgram) {
  const testing::TemporaryFolder folder;
  const std::vector<std::string> command = {program, how};
  const std::vector<EnvironmentEntry> environment = {{"NVTX_INJECTION64_PATH", DACHLAST_NVTX_LIBRARY},
                                                     {"DACHLAST_ATTACH_DIR", folder.path().string()},
                                                     {"DACHLAST_ATTACH_MAX_MIB", max_mib}};
  Attached result;
  result.end = run_program(command, environment);
  result.record = read_spools(folder.path());
  return result;
}

/// The one range of a name.
AttachedRange range_named(const AttachRecord& record, const std::string& name) {
  std::vector<AttachedRange> found;
  for (const AttachedRange& range : record.ranges)
    if (record.names[static_cast<std::size_t>(range.name)] == name) found.push_back(range);
  EXPECT_EQ(found.size(), 1U) << name;
  return found.empty() ? AttachedRange{} : found.front();
}

std::string text(const AttachRecord& record, std::int32_t index) {
  return record.names.at(static_cast<std::size_t>(index));
}

TEST(Attach, LeavesExitCodeAndSignalsAlone) {
  EXPECT_EQ(attached("exit").end.exit_code, 7);
  EXPECT_EQ(attached("crash").end.signal, SIGSEGV);
  EXPECT_EQ(attached("kill").end.signal, SIGKILL);
}

TEST(Attach, RecordsDomainsCategoriesStringsAndPayloads) {
  const AttachRecord record = attached("exit").record;
  const AttachedRange registered = range_named(record, "registered name");
  EXPECT_EQ(text(record, registered.domain), "engine");
  EXPECT_EQ(text(record, registered.category), "attention kernels");
  EXPECT_EQ(registered.payload, "-4096");
  EXPECT_EQ(range_named(record, "structured").payload, "layer=3 share=0.5");
  EXPECT_EQ(range_named(record, "a mark").end, RangeEnd::kMark);
  EXPECT_EQ(range_named(record, "gr\u00fc\u00dfe").end, RangeEnd::kPopped);  // wide text becomes UTF-8
}

TEST(Attach, RecordsThreadsAndRangesBetweenThem) {
  const AttachRecord record = attached("exit").record;
  const AttachedRange across = range_named(record, "ends on another thread");
  const AttachedRange outer = range_named(record, "decode step 7");
  const AttachedRange inner = range_named(record, "inner");
  EXPECT_EQ(across.end, RangeEnd::kStopped);
  EXPECT_GE(across.end_ns, outer.end_ns);
  EXPECT_LE(across.start_ns, outer.start_ns);
  EXPECT_NE(across.thread, outer.thread);
  EXPECT_EQ(record.threads.at(static_cast<std::size_t>(outer.thread)).name, "worker");
  EXPECT_EQ(outer.depth, 0);
  EXPECT_EQ(inner.depth, 1);
  EXPECT_LE(outer.start_ns, inner.start_ns);
  EXPECT_LE(inner.end_ns, outer.end_ns);
}

TEST(Attach, ForkedProcessesWriteTheirOwn) {
  const AttachRecord record = attached("exit").record;
  ASSERT_EQ(record.processes.size(), 2U);
  const AttachedRange parents = range_named(record, "before fork");
  const AttachedRange childs = range_named(record, "in the child");
  const auto process_of = [&](const AttachedRange& range) {
    return record.threads.at(static_cast<std::size_t>(range.thread)).process;
  };
  EXPECT_NE(process_of(parents), process_of(childs));
  EXPECT_EQ(record.processes.at(static_cast<std::size_t>(process_of(childs))).parent_pid,
            record.processes.at(static_cast<std::size_t>(process_of(parents))).pid);
  EXPECT_THAT(record.processes[0].program, HasSubstr("annotated"));
}

TEST(Attach, WhatIsExecutedInItsPlaceIsRecordedToo) {
  const Attached found = attached("exec");
  EXPECT_EQ(found.end.exit_code, 7);
  EXPECT_EQ(range_named(found.record, "before exec").end, RangeEnd::kCut);
  EXPECT_EQ(range_named(found.record, "registered name").end, RangeEnd::kPopped);
  EXPECT_EQ(range_named(found.record, "in the child").end, RangeEnd::kPopped);
}

TEST(Attach, ScopedRangesOfTheCxxHeaderAreRanges) {
  EXPECT_EQ(range_named(attached("exit").record, "scoped in C++").end, RangeEnd::kPopped);
}

TEST(Attach, ThreadsOfACProgramAreRecordedSideBySide) {
  const Attached found = attached("5000", "64", DACHLAST_ANNOTATED_C_PROGRAM);
  EXPECT_EQ(found.end.exit_code, 9);
  std::map<std::string, int> n_ranges;
  std::map<std::string, std::set<std::int32_t>> threads;
  for (const AttachedRange& range : found.record.ranges) {
    ++n_ranges[text(found.record, range.name)];
    threads[text(found.record, range.name)].insert(range.thread);
  }
  for (const char* name : {"in C, first", "in C, second", "in C, third"}) {
    EXPECT_EQ(n_ranges[name], 5000) << name;
    EXPECT_EQ(threads[name].size(), 1U) << name;
  }
}

/// Standard output is a file's here, with a recorder and without.
TEST(Attach, OutputIsTheProgramsOwn) {
  const auto output_of = [](const std::string& environment) {
    const testing::TemporaryFolder folder;
    const std::string file = folder / "out";
    const std::string command =
        environment + " DACHLAST_ATTACH_DIR=" + folder.path().string() + " " + kProgram + " exit >" + file + " 2>&1";
    EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 7);
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const std::string plain = output_of("");
  EXPECT_EQ(plain, "output of the program\n");
  EXPECT_EQ(output_of(std::string("NVTX_INJECTION64_PATH=") + DACHLAST_NVTX_LIBRARY), plain);
}

TEST(Attach, NothingIsLostWhenTheProgramDies) {
  for (const char* how : {"crash", "kill"}) {
    const AttachRecord record = attached(how).record;
    const AttachedRange cut = range_named(record, "never popped");
    EXPECT_EQ(cut.end, RangeEnd::kCut) << how;
    EXPECT_GE(cut.end_ns, cut.start_ns);
    EXPECT_EQ(range_named(record, "registered name").end, RangeEnd::kPopped);
  }
}

TEST(Attach, ManyEventsPassFromWindowToWindow) {
  const AttachRecord record = attached("many").record;
  std::int64_t n = 0;
  for (const AttachedRange& range : record.ranges)
    if (text(record, range.name) == "one of many") {
      ++n;
      EXPECT_EQ(range.depth, 1);  // inside the range that is never popped
    }
  EXPECT_EQ(n, 200'000);  // 24 B each: 4.8 MB, five windows
}

TEST(Attach, WhatExceedsTheLimitIsCountedNotLostSilently) {
  const AttachRecord record = attached("many", "2").record;
  std::int64_t n_dropped = 0;
  for (const AttachedThread& thread : record.threads) n_dropped += thread.n_dropped;
  EXPECT_GT(n_dropped, 200'000);
  EXPECT_EQ(attached("many", "2").end.exit_code, 7);
}

TEST(Attach, ProgramsThatCannotBeStartedAreNamed) {
  const std::vector<std::string> command = {"/nonexistent/program"};
  try {
    run_program(command, {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent/program"));
  }
}

TEST(ReadSpools, DamagedFilesAreReadUpToTheDamage) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "1-1-1.spool") << "no spool";
  std::ofstream(folder / "2-2-2.spool") << std::string(5000, 'x');
  std::ofstream(folder / "other.txt") << "ignored";
  const AttachRecord record = read_spools(folder.path());
  EXPECT_TRUE(record.ranges.empty());
  EXPECT_TRUE(record.processes.empty());
}

TEST(SpoolFile, RecordsBeyondTheirWindowEndTheFile) {
  SpoolFile file;
  file.records.assign(64, '\0');
  file.records[0] = 127;  // a length that is no multiple of 8
  file.records[4] = static_cast<char>(spool::Kind::kName);
  int n = 0;
  for_each_record(file, [&](spool::Kind, std::string_view) { ++n; });
  EXPECT_EQ(n, 0);
}

TEST(SpoolEvents, ShortOnesTellTheTimeSinceTheOneBefore) {
  const auto bytes_of = [](const auto& record) {
    return std::string(reinterpret_cast<const char*>(&record), sizeof(record));
  };
  spool::Event whole{};
  whole.ticks = 10'000'000'000;
  const spool::ShortPush push{
      {500, spool::Kind::kShortPush, static_cast<std::uint16_t>(spool::NameSpace::kProcess)}, 7, 3};
  const spool::ShortHead pop{0xFFFFFFFF, spool::Kind::kShortPop, 3};
  SpoolEvents events;
  EXPECT_EQ(events.read(spool::Kind::kMark, bytes_of(whole))->event.ticks, 10'000'000'000U);
  const auto pushed = events.read(spool::Kind::kShortPush, bytes_of(push));
  EXPECT_EQ(pushed->kind, spool::Kind::kPush);
  EXPECT_EQ(pushed->event.ticks, 10'000'000'500U);
  EXPECT_EQ(pushed->event.name, 7U);
  EXPECT_EQ(pushed->event.name_space, spool::NameSpace::kProcess);
  const auto popped = events.read(spool::Kind::kShortPop, bytes_of(pop));
  EXPECT_EQ(popped->kind, spool::Kind::kPop);
  EXPECT_EQ(popped->event.ticks, 14'294'967'795U);  // 10,000,000,500 + 4,294,967,295
  EXPECT_EQ(popped->event.domain, 3U);
  EXPECT_FALSE(events.read(spool::Kind::kShortPush, bytes_of(pop)));  // eight bytes are no push
  EXPECT_FALSE(events.read(spool::Kind::kName, bytes_of(push)));
}

TEST(SpoolText, LongerThanItsRecordIsRefused) {
  spool::Text head{};
  head.text_bytes = 1000;
  EXPECT_FALSE(spool_text({reinterpret_cast<const char*>(&head), sizeof(head)}));
  EXPECT_FALSE(spool_text("short"));
}

}  // namespace
}  // namespace dachlast
