#include "app/cli/help.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "app/cli/exit_code.h"
#include "core/figure/labels.h"
#include "tests/app/cli/run_program.h"

namespace dachlast::cli {
namespace {

using testing::HasSubstr;
using viewmodel::Language;
using viewmodel::Words;

const Words& german() {
  return Words::of(Language::kGerman);
}

std::vector<CommandRow> shown_commands() {
  std::vector<CommandRow> rows;
  for (const CommandRow& row : command_list())
    if (!row.examples.empty()) rows.push_back(row);
  return rows;
}

/// What follows the mark in lines of "command  # comment".
std::vector<std::string> comments_of(std::string_view examples) {
  std::vector<std::string> comments;
  for (const std::string& line : CLI::detail::split(std::string(examples), '\n'))
    if (const std::size_t mark = line.find(" # "); mark != std::string::npos) comments.push_back(line.substr(mark + 3));
  return comments;
}

TEST(Help, KnowsEverySentenceInGerman) {
  Program program;
  for (const CommandRow& row : shown_commands()) {
    EXPECT_TRUE(german().find(row.summary)) << row.summary;
    for (const std::string& comment : comments_of(row.examples)) EXPECT_TRUE(german().find(comment)) << comment;
    for (const OptionText& option : option_texts(*program.definition().get_subcommand(std::string(row.name)))) {
      EXPECT_TRUE(german().find(option.description)) << row.name << " " << option.names << ": " << option.description;
      EXPECT_TRUE(german().find(option.group)) << option.group;
    }
  }
}

TEST(Help, FitsEightyColumnsInGerman) {
  for (const CommandRow& row : shown_commands()) {
    const std::string name(row.name);
    const Outcome help = run_program({name.c_str(), "--lang", "de", "--help"});
    EXPECT_EQ(help.code, kExitDone);
    EXPECT_THAT(help.out, HasSubstr("Aufruf: dachlast " + name));
    EXPECT_THAT(help.out, HasSubstr("Rückgabewerte:"));
    EXPECT_THAT(help.out, testing::Not(HasSubstr("Usage")));
    for (const std::string& line : CLI::detail::split(help.out, '\n'))
      EXPECT_LE(figure::display_width(line), 80) << line;
  }
}

TEST(Help, TakesItsLanguageFromOptionThenEnvironment) {
  setenv("DACHLAST_LANG", "de", 1);
  EXPECT_THAT(run_program({}).out, HasSubstr("Befehle:"));
  EXPECT_THAT(run_program({"plan", "-h"}).out, HasSubstr("Beispiele:"));
  EXPECT_THAT(run_program({"plan", "-h", "--lang=en"}).out, HasSubstr("Examples:"));
  unsetenv("DACHLAST_LANG");
  EXPECT_THAT(run_program({"plan", "-h"}).out, HasSubstr("Examples:"));
}

TEST(Help, SaysInGermanWhatTheParserRefuses) {
  EXPECT_THAT(run_program({"plan", "--contxt", "8", "--model", "gpt2", "--lang", "de"}).err,
              HasSubstr("--contxt: bei `plan` nicht bekannt. Ist '--context' gemeint?"));
  EXPECT_THAT(run_program({"plan", "--lang", "de"}).err, HasSubstr("--model fehlt"));
  EXPECT_THAT(run_program({"plan", "--model", "gpt2", "--tp", "two", "--lang", "de"}).err,
              HasSubstr("ist keine Zahl, die diese Option annimmt."));
}

TEST(Help, SuggestsACommandWhoseLettersWereSwapped) {
  const Outcome outcome = run_program({"rnu"});
  EXPECT_EQ(outcome.code, kExitUsage);
  EXPECT_THAT(outcome.err, HasSubstr("rnu: not known as a command. Did you mean 'run'?"));
  EXPECT_THAT(run_program({"plan", "--model", "gpt2", "--contxet=8"}).err, HasSubstr("Did you mean '--context'?"));
}

TEST(Help, ListsTheExitCodesTheProgramReturns) {
  const std::string table = "\n" + exit_code_table(Words::of(Language::kEnglish));
  for (const int code : {kExitDone, kExitFailure, kExitUsage, kExitDoesNotFit, kExitRegression, kExitDevice, kExitInput,
                         kExitInterrupted})
    EXPECT_THAT(table, HasSubstr("\n  " + std::to_string(code) + " ")) << code;
}

}  // namespace
}  // namespace dachlast::cli
