#include "core/workbench/project.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "core/base/error.h"
#include "core/store/run_file.h"
#include "core/viewmodel/format.h"
#include "core/workbench/project_journal.h"
#include "core/workbench/project_view.h"
#include "tests/core/store/temporary_folder.h"
#include "tests/support/sample_run.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

void write_text(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << text;
}

ProjectScenario llama_on_two_gpus() {
  ProjectScenario scenario{.request = {}, .context_tokens = 8192, .batch_size = 4};
  scenario.request.model = "llama-3.1-8b";
  scenario.request.device = "h100-sxm5-80gb";
  scenario.request.layout.tensor_parallel = 2;
  scenario.request.limits.memory_fraction = 0.85;
  return scenario;
}

Project full_project(const fs::path& folder) {
  Project project;
  project.note = "tiles of 64 against tiles of 32";
  project.runs = {{folder / "before.dachlast", "before", "driver 580"}, {folder / "runs/after.dachlast", "", ""}};
  project.baseline = 0;
  project.shown = 1;
  project.pins = {llama_on_two_gpus()};
  project.scenario = {llama_on_two_gpus()};
  project.scenario.front().batch_size = 8;
  project.layout = {"compare", "AAAA/w=="};
  return project;
}

TEST(Project, ReadsWhatItWrote) {
  const testing::TemporaryFolder folder;
  const Project project = full_project(folder.path());
  write_project(project, folder / "a.dachlast-project");
  const OpenedProject opened = read_project(folder / "a.dachlast-project");
  EXPECT_EQ(opened.project, project);
  EXPECT_TRUE(opened.skipped.empty());
  EXPECT_TRUE(is_project(folder / "a.dachlast-project"));
}

TEST(Project, MovesWithItsRuns) {
  const testing::TemporaryFolder folder;
  fs::create_directories(folder / "here");
  fs::create_directories(folder / "there");
  Project project = full_project(folder / "here");
  project.runs.push_back({"/data/elsewhere.dachlast", "", ""});
  write_project(project, folder / "here/a.dachlast-project");
  fs::rename(folder / "here/a.dachlast-project", folder / "there/a.dachlast-project");
  const Project moved = read_project(folder / "there/a.dachlast-project").project;
  EXPECT_EQ(moved.runs[0].file, folder / "there/before.dachlast");
  EXPECT_EQ(moved.runs[1].file, folder / "there/runs/after.dachlast");
  EXPECT_EQ(moved.runs[2].file, "/data/elsewhere.dachlast");
}

TEST(Project, NamesWhatANewerVersionAddedAndKeepsIt) {
  const testing::TemporaryFolder folder;
  const fs::path file = folder / "new.dachlast-project";
  write_text(file, R"({"schema": "dachlast.project/3", "runs": [], "budget": {"euro": 12}})");
  const OpenedProject opened = read_project(file);
  ASSERT_EQ(opened.skipped.size(), 2u);
  EXPECT_THAT(opened.skipped[0], HasSubstr("version 3"));
  EXPECT_THAT(opened.skipped[1], HasSubstr("budget"));
  write_project(opened.project, file);
  EXPECT_THAT(content_of(file), HasSubstr("\"euro\": 12"));
}

TEST(Project, RefusesWhatContradictsItself) {
  const testing::TemporaryFolder folder;
  const fs::path file = folder / "bad.dachlast-project";
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  for (
      const std::string& text : {
          std::string(),
          std::string("{"),
          std::string("[]"),
          std::string(R"({"schema": "dachlast.run/1"})"),
          std::string(R"({"schema": "dachlast.project/"})"),
          std::string(R"({"schema": "dachlast.project/99999999999999999999"})"),
          std::string(R"({"schema": "dachlast.project/-1"})"),
          std::string(R"({"schema": 1})"),
          std::string(R"({"schema": "dachlast.project/1", "runs": 7})"),
          std::string(R"({"schema": "dachlast.project/1", "runs": [{}]})"),
          std::string(R"({"schema": "dachlast.project/1", "runs": [{"file": ""}]})"),
          std::string(R"({"schema": "dachlast.project/1", "runs": [{"file": "a\u0000b"}]})"),
          std::string(R"({"schema": "dachlast.project/1", "runs": [], "baseline": 0})"),
          std::string(R"({"schema": "dachlast.project/1", "runs": [], "shown": -2})"),
          std::string(R"({"schema": "dachlast.project/1", "baseline": "first"})"),
          std::string(R"({"schema": "dachlast.project/1", "note": ["a"]})"),
          std::string(R"({"schema": "dachlast.project/1", "pins": [{"model": "m", "context_tokens": 0, "batch": 1}]})"),
          std::string(
              R"({"schema": "dachlast.project/1", "pins": [{"model": "m", "context_tokens": 1, "batch": 1, "memory_fraction": 7}]})"),
          std::string(R"({"schema": "dachlast.project/1", "window": []})"),
          R"({"schema": "dachlast.project/1", "x": )" + deep + "}",
      }) {
    write_text(file, text);
    EXPECT_THROW(read_project(file), Error) << text.substr(0, 120);
  }
  EXPECT_THROW(read_project(folder / "absent"), Error);
  EXPECT_THROW(read_project(folder.path()), Error);
}

TEST(Project, RefusesMoreRunsThanAnyoneKeeps) {
  const testing::TemporaryFolder folder;
  std::string text = R"({"schema": "dachlast.project/1", "runs": [)";
  for (int i = 0; i <= kMostProjectEntries; ++i) text += i == 0 ? R"({"file": "a"})" : R"(,{"file": "a"})";
  write_text(folder / "many", text + "]}");
  EXPECT_THROW(read_project(folder / "many"), Error);
}

TEST(Project, TakesNoOtherFileForAProject) {
  const testing::TemporaryFolder folder;
  write_text(folder / "run.json", R"({"schema": "dachlast.run/1"})");
  write_text(folder / "page.html", "<p>dachlast.project/1</p>");
  EXPECT_FALSE(is_project(folder / "run.json"));
  EXPECT_FALSE(is_project(folder / "page.html"));
  EXPECT_FALSE(is_project(folder / "absent"));
  EXPECT_FALSE(is_project("/dev/zero"));
}

TEST(Project, KeepsNamesWithBrokenUtf8Readable) {
  const testing::TemporaryFolder folder;
  Project project;
  project.runs = {{folder / "a.dachlast", "caf\xe9", "<script>alert(1)</script>"}};
  write_project(project, folder / "a.dachlast-project");
  const Project read = read_project(folder / "a.dachlast-project").project;
  EXPECT_EQ(read.runs[0].name, "caf\xef\xbf\xbd");  // U+FFFD
  EXPECT_EQ(read.runs[0].note, "<script>alert(1)</script>");
}

TEST(Project, IsWrittenWholeOrNotAtAll) {
  const testing::TemporaryFolder folder;
  const fs::path file = folder / "a.dachlast-project";
  write_project(full_project(folder.path()), file);
  const std::string before = content_of(file);
  EXPECT_THROW(write_project({}, folder / "no/such/folder/a.dachlast-project"), Error);
  if (::geteuid() != 0) {  // root writes everywhere
    fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THROW(write_project({}, file), Error);
    fs::permissions(folder.path(), fs::perms::owner_all);
  }
  EXPECT_EQ(content_of(file), before);
  int n_files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder.path())) ++n_files;
  EXPECT_EQ(n_files, 1);
}

TEST(Project, SavesThroughALink) {
  const testing::TemporaryFolder folder;
  write_text(folder / "real", "old");
  fs::create_symlink(folder / "real", folder / "link");
  replace_file(folder / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(content_of(folder / "real"), "new");
}

// -------- what it shows

TEST(ProjectView, ListsRunsAndScenariosAndNamesWhatIsGone) {
  const testing::TemporaryFolder folder;
  const Project project = full_project(folder.path());
  const auto run = test::sample_run();
  RunWriter::create(folder / "before.dachlast", run, IfExists::kRefuse).finish();
  const ProjectView view = project_view(project);
  EXPECT_EQ(viewmodel::plain_spaces(view.answer), "Holds 2 runs and 1 scenario; the baseline is before.");
  ASSERT_EQ(view.runs.rows.size(), 2u);
  EXPECT_EQ(view.runs.rows[0][1].text, "baseline");
  EXPECT_THAT(view.runs.rows[0][2].text, HasSubstr("gpt2 on "));
  EXPECT_EQ(view.runs.rows[1][0].text, "after");
  EXPECT_EQ(view.scenarios.rows.size(), 1u);
  ASSERT_EQ(view.problems.size(), 1u);
  EXPECT_THAT(view.problems[0], HasSubstr("after.dachlast"));
}

TEST(ProjectView, ReportsTheRunShownAgainstTheBaseline) {
  const Project project = full_project("/data");
  const ProjectSubject subject = subject_of(project);
  EXPECT_EQ(subject.run, "/data/runs/after.dachlast");
  EXPECT_EQ(subject.baseline, "/data/before.dachlast");
  EXPECT_EQ(subject.note, project.note);
}

TEST(ProjectView, ReportsThePinnedScenarioWhereThereIsNoRun) {
  Project project = full_project("/data");
  project.runs.clear();
  project.baseline = project.shown = -1;
  EXPECT_TRUE(subject_of(project).run.empty());
  const auto plan = plan_of(project);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->batch_size, 4);
  EXPECT_FALSE(plan_of(Project{}));
}

// -------- journals

TEST(ProjectJournal, IsFoundOnlyWhenItsProcessIsGone) {
  const testing::TemporaryFolder folder;
  const fs::path journals = folder / "state";
  const Project project = full_project(folder.path());
  {
    ProjectJournal journal(journals);
    journal.write(project, folder / "a.dachlast-project");
    EXPECT_TRUE(left_behind(journals).empty());  // locked by this process
  }
  EXPECT_TRUE(left_behind(journals).empty());  // ended as it should
}

TEST(ProjectJournal, SurvivesAProcessThatDies) {
  const testing::TemporaryFolder folder;
  const fs::path journals = folder / "state";
  const Project project = full_project(folder.path());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto* journal = new ProjectJournal(journals);  // never destroyed, as in a crash
    journal->write(project, folder / "a.dachlast-project");
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  const auto found = left_behind(journals);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].project, project);
  EXPECT_EQ(found[0].file, folder / "a.dachlast-project");
  forget(found[0]);
  EXPECT_TRUE(left_behind(journals).empty());
  EXPECT_TRUE(fs::is_empty(journals));
}

TEST(ProjectJournal, SkipsWhatIsNoJournal) {
  const testing::TemporaryFolder folder;
  write_text(folder / "1-0.journal", "{");
  write_text(folder / "1-1.journal", R"({"schema": "dachlast.journal/1", "file": 7})");
  write_text(folder / "1-2.journal",
             R"({"schema": "dachlast.journal/1", "file": "", "written_at": "", "project": "{}"})");
  EXPECT_TRUE(left_behind(folder.path()).empty());
  EXPECT_TRUE(left_behind(folder / "absent").empty());
}

TEST(ProjectJournal, WithoutAFolderJournalsNothing) {
  ProjectJournal journal("");
  EXPECT_NO_THROW(journal.write(Project{}, ""));
  ProjectJournal unwritable("/proc/no/such/folder");
  EXPECT_NO_THROW(unwritable.write(Project{}, ""));
}

}  // namespace
}  // namespace dachlast
