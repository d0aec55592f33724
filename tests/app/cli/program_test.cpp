#include "app/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/cli/exit_code.h"
#include "app/cli/generators.h"
#include "app/cli/help.h"
#include "tests/app/cli/run_program.h"

namespace dachlast::cli {
namespace {

using testing::HasSubstr;

TEST(Program, VersionGoesToStdout) {
  const Outcome outcome = run_program({"--version"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.out, testing::StartsWith("dachlast "));
  EXPECT_EQ(outcome.err, "");
}

TEST(Program, WithoutACommandShowsTheCommandsAndIsWrongUsage) {
  const Outcome outcome = run_program({});
  EXPECT_EQ(outcome.code, kExitUsage);
  for (const auto& row : command_list()) {
    if (row.examples.empty()) continue;
    EXPECT_THAT(outcome.out, HasSubstr(std::string(row.name)));
  }
}

TEST(Program, UnknownCommandSuggestsTheNearest) {
  const Outcome outcome = run_program({"calibrat"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("Did you mean 'calibrate'?"));
}

TEST(Program, UnknownOptionSuggestsTheNearest) {
  const Outcome outcome = run_program({"run", "--model", "gpt2", "--contxt", "8"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("Did you mean '--context'?"));
}

TEST(Program, ShortHelpStartsWithExamplesAndFullHelpHasEveryOption) {
  for (const auto& row : command_list()) {
    if (row.examples.empty()) continue;
    const std::string name(row.name);
    const Outcome brief = run_program({name.c_str(), "-h"});
    EXPECT_EQ(brief.code, kExitDone) << name;
    EXPECT_LT(brief.out.find("Examples:"), brief.out.find("Usage:")) << name;

    const Outcome full = run_program({name.c_str(), "--help"});
    EXPECT_EQ(full.code, kExitDone) << name;
    Program program;
    for (const auto& option : option_texts(*program.definition().get_subcommand(name)))
      EXPECT_THAT(full.out, HasSubstr(option.names)) << name;
    EXPECT_THAT(full.out, HasSubstr("Exit codes:")) << name;
  }
}

TEST(Program, HelpFitsEightyColumns) {
  for (const auto& row : command_list()) {
    if (row.examples.empty()) continue;
    const std::string name(row.name);
    const std::string help = run_program({name.c_str(), "--help"}).out;
    for (const auto& line : CLI::detail::split(help, '\n')) EXPECT_LE(line.size(), 80u) << name << ": " << line;
  }
}

TEST(Program, BadInputGetsOneLineAndItsExitCode) {
  const Outcome model = run_program({"run", "--model", "gpt-2000", "--dry-run"});
  EXPECT_EQ(model.code, kExitUsage) << model.err;
  EXPECT_THAT(model.err, HasSubstr("gpt-2000"));
  EXPECT_EQ(run_program({"run", "--model", "gpt2", "--attention", "magic", "--dry-run"}).code, kExitUsage);
  const Outcome context = run_program({"run", "--model", "gpt2", "--context", "0"});
  EXPECT_EQ(context.code, kExitUsage);
  const Outcome file = run_program({"show", "no-such-file.dachlast"});
  EXPECT_EQ(file.code, kExitInput) << file.err;
}

TEST(Program, EnvironmentSetsOptions) {
  setenv("DACHLAST_CONTEXT", "0", 1);
  const Outcome outcome = run_program({"run", "--model", "gpt2"});
  unsetenv("DACHLAST_CONTEXT");
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("--context"));
}

TEST(Generators, ManPagesDescribeEveryOptionInValidTroff) {
  Program program;
  for (const auto& row : command_list()) {
    if (row.examples.empty()) continue;
    const CLI::App& app = *program.definition().get_subcommand(std::string(row.name));
    const std::string page = command_man_page(app, row);
    EXPECT_THAT(page, testing::StartsWith(".TH ")) << row.name;
    for (const auto& option : option_texts(app))
      for (const auto& name : option.long_names)
        EXPECT_THAT(page, HasSubstr("\\-\\-" + CLI::detail::split(name.substr(2), '-').front())) << row.name;
  }
}

TEST(Generators, CompletionsKnowEveryCommand) {
  Program program;
  for (const auto& script : {bash_completion(program.definition()), zsh_completion(program.definition()),
                             fish_completion(program.definition())})
    for (const auto& row : command_list()) {
      if (row.examples.empty()) continue;
      EXPECT_THAT(script, HasSubstr(std::string(row.name)));
    }
}

}  // namespace
}  // namespace dachlast::cli
