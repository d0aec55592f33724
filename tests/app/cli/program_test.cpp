#include "app/cli/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "app/cli/exit_code.h"
#include "app/cli/generators.h"
#include "app/cli/help.h"
#include "core/viewmodel/format.h"
#include "tests/app/cli/run_program.h"
#include "tests/core/model/temp_folder.h"

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

/// Amounts such as "23.75 GiB" of a text, its non-breaking spaces made plain.
std::set<std::string> amounts_in(const std::string& text) {
  static const std::regex amount("[0-9][0-9.,]* (kB|MB|GB|KiB|MiB|GiB)(?![/A-Za-z])");
  const std::string plain = viewmodel::plain_spaces(text);
  std::set<std::string> found;
  for (auto it = std::sregex_iterator(plain.begin(), plain.end(), amount); it != std::sregex_iterator(); ++it)
    found.insert(it->str());
  return found;
}

const std::vector<std::vector<const char*>>& commands_with_memory() {
  static const std::vector<std::vector<const char*>> commands = {
      {"plan", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--context", "32k", "--batch", "8", "-v"},
      {"plan", "--model", "llama-3.1-70b", "--gpu", "h100-sxm", "--context", "32k"},
      {"plan", "--model", "llama-3.1-8b", "--gpu", "h100-sxm,a100-80gb", "--context", "32k"},
      {"plan", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--context", "32k", "--format", "md"},
      {"plan", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--sweep", "context,batch"},
      {"plan", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--sweep", "context,batch", "--chart", "-"},
      {"recommend", "--model", "llama-3.1-8b", "--context", "8k", "--gpus", "h100-sxm,l4", "--show-rejected"},
      {"recommend", "--model", "llama-3.1-8b", "--context", "8k", "--gpus", "h100-sxm,l4", "--format", "md"},
      {"advise", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--context", "32k", "--batch", "8"},
      {"run", "--model", "gpt2", "--context", "128", "--dry-run"},
      {"gpus", "show", "h100-sxm"},
      {"gpus", "list"},
      {"models", "show", "llama-3.1-8b"},
      {"doctor"}};
  return commands;
}

TEST(CapacityUnits, NoCommandWritesBinaryUnitsWhereDecimalOnesWereAskedFor) {
  for (std::vector<const char*> words : commands_with_memory()) {
    const Outcome binary = run_program(words);
    EXPECT_THAT(binary.out, testing::ContainsRegex("[KMG]iB")) << words[0] << " " << words[1];
    words.insert(words.end(), {"--units", "si"});
    const Outcome decimal = run_program(words);
    EXPECT_EQ(decimal.code, binary.code);
    EXPECT_THAT(decimal.out + decimal.err, testing::Not(testing::ContainsRegex("[KMGT]iB"))) << words[0];
    EXPECT_THAT(decimal.out, testing::ContainsRegex("[kMG]B")) << words[0] << " " << words[1];
  }
}

// The report holds what the terminal says, digit by digit, in either unit.
TEST(CapacityUnits, TerminalMarkdownAndReportShowTheSameDigits) {
  for (const char* units : {"iec", "si"}) {
    const std::vector<const char*> scenario = {"--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--context",
                                               "32k",     "--batch",      "8",     "--units",  units};
    const auto with = [&](std::vector<const char*> words, std::vector<const char*> more) {
      words.insert(words.end(), scenario.begin(), scenario.end());
      words.insert(words.end(), more.begin(), more.end());
      return run_program(words).out;
    };
    std::string report = with({"report"}, {"-o", "-", "-q", "--timestamp", "2026-01-01T00:00:00Z"});
    report = report.substr(0, report.find("<script type=\"application/json\""));
    report = std::regex_replace(report, std::regex(" data-[sv]=\"[^\"]*\""), "");  // what CSV buttons save: raw
    const std::set<std::string> told = amounts_in(report);
    const std::set<std::string> printed = amounts_in(with({"plan"}, {}));
    EXPECT_GE(printed.size(), 4U);
    for (const std::string& amount : printed) EXPECT_TRUE(told.contains(amount)) << amount << " in " << units;
    EXPECT_THAT(report, testing::Not(testing::ContainsRegex(std::string(units) == "si" ? "[KMG]iB" : "[0-9] [kM]B<")));
    EXPECT_EQ(amounts_in(with({"plan"}, {"--format", "md"})).contains(*printed.begin()), true);
  }
}

TEST(CapacityUnits, MachineFormatsHoldBytesInEitherCase) {
  for (const char* format : {"json", "csv"}) {
    std::vector<const char*> words = {"plan",      "--model", "llama-3.1-8b", "--gpu", "h100-sxm",
                                      "--context", "32k",     "--format",     format};
    const Outcome binary = run_program(words);
    words.insert(words.end(), {"--units", "si"});
    EXPECT_EQ(run_program(words).out, binary.out);
  }
}

TEST(CapacityUnits, ComeFromOptionThenEnvironmentThenFile) {
  const TempFolder folder;
  const std::string file = folder.path() / "config.toml";
  std::ofstream(file) << "[gpus]\nunits = \"si\"\n";
  const auto unit_of = [&](std::vector<const char*> words) {
    words.insert(words.begin(), {"--config", file.c_str(), "gpus", "show", "h100-sxm"});
    return run_program(std::move(words)).out.find("GiB") == std::string::npos ? "si" : "iec";
  };
  EXPECT_STREQ(unit_of({}), "si");
  setenv("DACHLAST_UNITS", "iec", 1);
  EXPECT_STREQ(unit_of({}), "iec");
  EXPECT_STREQ(unit_of({"--units", "si"}), "si");
  unsetenv("DACHLAST_UNITS");
  EXPECT_EQ(run_program({"gpus", "--units", "GB"}).code, kExitUsage);
}

/// Lines of a German output that hold a word no German sentence holds: names of kernels and devices hold none either.
std::string english_lines(const std::string& text) {
  static const std::regex english("\\b(the|of|is|are|and|with|not|than|from|this|that|holds|needs|takes|more|less)\\b");
  std::istringstream lines(text);
  std::string found;
  for (std::string line; std::getline(lines, line);)
    if (std::regex_search(line, english) && !line.starts_with("@media")) found += line + "\n";
  return found;
}

TEST(German, NoCommandLeavesAnEnglishSentence) {
  const std::string profiles = std::string(DACHLAST_TEST_DATA_DIR) + "/profiles/";
  const std::string trace = profiles + "qwen1.5-0.5b-h100.json.gz";
  const std::string nsys = profiles + "h100-two-gpus.sqlite";
  const std::string counters = profiles + "kernel_0001.details.csv";
  const std::string replayed = profiles + "gpt-oss-vllm-decode.json.gz";
  std::vector<std::vector<const char*>> commands = commands_with_memory();
  commands.push_back({"advise", "--model", "llama-3.1-70b", "--gpu", "l4", "--context", "32k", "--batch", "8"});
  commands.push_back({"advise", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--context", "8k", "--format", "md"});
  for (const std::string* file : {&trace, &nsys, &counters, &replayed})
    commands.push_back({"import", file->c_str(), "--kernels", "1"});
  setenv("COLUMNS", "400", 1);  // a sentence a line
  for (std::vector<const char*> words : commands) {
    if (std::string_view(words[0]) == "gpus") continue;  // sources are quoted as they are titled
    words.insert(words.end(), {"--lang", "de"});
    const Outcome outcome = run_program(words);
    std::string left = english_lines(outcome.out + outcome.err);
    if (std::string_view(words[0]) == "import") left = std::regex_replace(left, std::regex("(void|at::)[^\n]*\n"), "");
    EXPECT_EQ(left, "") << words[0] << " " << words[1];
  }
  unsetenv("COLUMNS");
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
