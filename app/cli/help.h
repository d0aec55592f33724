#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli/command.h"

namespace dachlast::cli {

/// Groups of options, as CLI11's `group` names: the short help leaves out all but the first.
inline constexpr const char* kMainGroup = "Options";
inline constexpr const char* kMoreGroup = "More options";
inline constexpr const char* kCommonGroup = "Common options";

/// One option or argument as help, man page and completions describe it.
struct OptionText {
  std::string names;        // "--context, -c"
  std::string placeholder;  // "LIST"; empty for flags
  std::string description;
  std::string default_value;
  std::string group;
  std::vector<std::string> long_names;  // "--context"
  std::vector<std::string> choices;     // what a choice accepts
  bool takes_value = false;
  bool positional = false;
};

/// Every option and argument of `app`, in the order of their definition.
std::vector<OptionText> option_texts(const CLI::App& app);

// Help speaks the reader's language; names of options, their values and placeholders are the same in all of them.

/// Help of the whole program: what it is for, the verbs, where to go on.
std::string program_help(std::span<const CommandRow> rows, const viewmodel::Words& words);

/// `-h`: examples first, then the main options.
std::string short_help(const CLI::App& app, const CommandRow& row, const viewmodel::Words& words);

/// `--help`: all options, environment, exit codes.
std::string full_help(const CLI::App& app, const CommandRow& row, const viewmodel::Words& words);

/// Wraps `text` at `width` columns, each line after the first indented.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// Exit codes as lines of "code  meaning".
std::string exit_code_table(const viewmodel::Words& words);

}  // namespace dachlast::cli
