#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "app/cli/command.h"

namespace dachlast::cli {

/// The whole command line: its definition (for parsing, help, man pages and completions) and its execution.
class Program {
 public:
  Program();

  /// Parses and runs. Returns the exit code; prints errors to stderr as "dachlast: subject: reason".
  int run(int argc, const char* const* argv);

  /// The definition, for generators that describe it.
  CLI::App& definition() { return app_; }

 private:
  struct Verb {
    const CommandRow* row;
    CLI::App* app;
    std::unique_ptr<Command> command;
    // Of this verb alone: the environment sets the options of every verb, whichever was called.
    std::unique_ptr<CommonOptions> common;
  };

  static void add_common_options(CLI::App& app, ResultKind result, CommonOptions& common);
  void add_verb(const CommandRow& row);
  const Verb* selected() const;
  int execute_selected();
  std::string unknown_word(int argc, const char* const* argv) const;
  int report_parse_error(const CLI::ParseError& error, int argc, const char* const* argv);

  CLI::App app_;
  std::vector<Verb> verbs_;
  const viewmodel::Words* words_ = &viewmodel::Words::of(viewmodel::Language::kEnglish);
};

}  // namespace dachlast::cli
