#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <functional>

#include "core/base/error.h"
#include "core/store/database.h"
#include "core/store/run_file.h"
#include "tests/core/store/stored_run.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

using testing::full_header;
using testing::full_point;
using ::testing::HasSubstr;
using testing::steps;
using testing::TemporaryFolder;

/// The error that `act` throws; fails the test where it throws none.
Error error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {ErrorKind::kFailure, "", ""};
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file) << text;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

void create(const std::filesystem::path& file, IfExists if_exists = IfExists::kRefuse) {
  RunWriter::create(file, full_header(), if_exists);
}

void expect_input_error(const std::filesystem::path& file, const std::string& reason) {
  const Error error = error_of([&] { read_run(file); });
  EXPECT_EQ(error.kind(), ErrorKind::kInput);
  EXPECT_EQ(error.subject(), file.string());
  EXPECT_THAT(error.reason(), HasSubstr(reason));
  EXPECT_NE(error.way_out(), "");
}

TEST(ReadRun, SaysWhatIsWrongWithTheFile) {
  const TemporaryFolder folder;
  expect_input_error(folder / "missing", "no such file");
  expect_input_error(folder.path(), "folder");
  write_text(folder / "text", std::string(5000, 'x'));
  expect_input_error(folder / "text", "not a Dachlast run file");
  write_text(folder / "empty", "");
  expect_input_error(folder / "empty", "not a Dachlast run file");
  Database(folder / "other", DatabaseMode::kCreate).execute("CREATE TABLE t (x INTEGER)");
  expect_input_error(folder / "other", "not a Dachlast run file");
}

TEST(ReadRun, NoTruncationCrashesOrPasses) {
  const TemporaryFolder folder;
  {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
    for (int i = 0; i < 20; ++i) writer.add_point(full_point(i + 1), steps(3));
    writer.finish();
  }
  const auto size = std::filesystem::file_size(folder / "a.dachlast");
  ASSERT_GT(size, 8192u);
  for (std::uintmax_t keep = 1; keep < size; keep += 1021) {  // a prime: cuts inside pages and at odd places
    std::filesystem::copy_file(folder / "a.dachlast", folder / "cut",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder / "cut", keep);
    EXPECT_EQ(error_of([&] { read_run(folder / "cut"); }).kind(), ErrorKind::kInput) << keep;
  }
}

TEST(ReadRun, DamagedRecordsAreErrors) {
  const TemporaryFolder folder;
  for (const char* damage : {"UPDATE run SET roofs_json = '{'", "UPDATE run SET host_json = '[]'", "DELETE FROM run",
                             "UPDATE run SET weight_dtype = 'f7'", "UPDATE point SET samples_s = x'01'",
                             "UPDATE point SET context_tokens = 99999999999"}) {
    const auto file = folder / "a.dachlast";
    RunWriter::create(file, full_header(), IfExists::kOverwrite).add_point(full_point(512));
    Database(file, DatabaseMode::kWrite).execute(damage);
    EXPECT_EQ(error_of([&] { read_run(file); }).kind(), ErrorKind::kInput) << damage;
  }
}

TEST(RunWriter, RefusesAFileThatExists) {
  const TemporaryFolder folder;
  write_text(folder / "a.dachlast", "precious");
  const Error error = error_of([&] { create(folder / "a.dachlast"); });
  EXPECT_EQ(error.kind(), ErrorKind::kUsage);
  EXPECT_THAT(error.reason(), HasSubstr("exists"));
  EXPECT_EQ(text_of(folder / "a.dachlast"), "precious");
  create(folder / "a.dachlast", IfExists::kOverwrite);
  EXPECT_EQ(read_run(folder / "a.dachlast").run.id, full_header().id);
}

TEST(RunWriter, NamesThatCannotBeWrittenLeaveNothingBehind) {
  const TemporaryFolder folder;
  write_text(folder / "file", "text");
  EXPECT_EQ(error_of([&] { create(folder.path(), IfExists::kOverwrite); }).kind(), ErrorKind::kUsage);
  const Error missing = error_of([&] { create(folder / "nowhere" / "a.dachlast"); });
  EXPECT_EQ(missing.kind(), ErrorKind::kFailure);
  EXPECT_THAT(missing.reason(), HasSubstr("no folder"));
  EXPECT_EQ(error_of([&] { create(folder / "file" / "a.dachlast"); }).kind(), ErrorKind::kFailure);
  EXPECT_EQ(error_of([&] { create("/proc/a.dachlast"); }).kind(),
            ErrorKind::kFailure);  // nobody writes there, not even root
  EXPECT_EQ(folder.n_files(), 1);
}

TEST(RunWriter, AnUnwritableFolderIsSaid) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TemporaryFolder folder;
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_EQ(error_of([&] { create(folder / "a.dachlast"); }).kind(), ErrorKind::kFailure);
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

/// Runs `act` in a process whose files may not grow beyond `limit` bytes; true where `act` returned true.
bool succeeds_within(rlim_t limit, const std::function<bool()>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);  // the write fails instead
    const rlimit limits{limit, limit};
    ::setrlimit(RLIMIT_FSIZE, &limits);
    ::_exit(act() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(RunWriter, AFullDiskAtCreationLeavesNothingBehind) {
  const TemporaryFolder folder;
  EXPECT_TRUE(succeeds_within(
      4096, [&] { return error_of([&] { create(folder / "a.dachlast"); }).kind() == ErrorKind::kFailure; }));
  EXPECT_EQ(folder.n_files(), 0);
}

TEST(RunWriter, AFullDiskWhenOverwritingKeepsTheOldFile) {
  const TemporaryFolder folder;
  write_text(folder / "a.dachlast", "precious");
  EXPECT_TRUE(succeeds_within(4096, [&] {
    return error_of([&] { create(folder / "a.dachlast", IfExists::kOverwrite); }).kind() == ErrorKind::kFailure;
  }));
  EXPECT_EQ(text_of(folder / "a.dachlast"), "precious");
  EXPECT_EQ(folder.n_files(), 1);
}

TEST(RunWriter, AFullDiskLaterKeepsThePointsBefore) {
  const TemporaryFolder folder;
  int n_stored_pipe[2];
  ASSERT_EQ(::pipe(n_stored_pipe), 0);
  EXPECT_TRUE(succeeds_within(200'000, [&] {
    RunWriter writer = RunWriter::create(folder / "a.dachlast", full_header(), IfExists::kRefuse);
    for (int n_stored = 0; n_stored < 10'000; ++n_stored) {
      try {
        writer.add_point(full_point(n_stored + 1), steps(3));
      } catch (const Error& error) {
        return error.kind() == ErrorKind::kFailure && ::write(n_stored_pipe[1], &n_stored, sizeof n_stored) > 0;
      }
    }
    return false;  // the disk never filled
  }));
  int n_stored = 0;
  ASSERT_EQ(::read(n_stored_pipe[0], &n_stored, sizeof n_stored), static_cast<ssize_t>(sizeof n_stored));
  ASSERT_GT(n_stored, 0);
  const StoredRun stored = read_run(folder / "a.dachlast");
  EXPECT_FALSE(stored.run.complete);
  EXPECT_EQ(stored.run.points.size(), static_cast<std::size_t>(n_stored));
  ::close(n_stored_pipe[0]);
  ::close(n_stored_pipe[1]);
}

}  // namespace
}  // namespace dachlast
