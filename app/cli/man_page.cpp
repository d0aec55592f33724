#include <fmt/core.h>

#include "app/cli/generators.h"
#include "app/cli/help.h"

namespace dachlast::cli {
namespace {

/// Text that troff must not take for markup: backslashes, hyphens of options, a leading dot or quote.
std::string troff(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else {
      if ((c == '.' || c == '\'') && (result.empty() || result.back() == '\n')) result += "\\&";
      result += c;
    }
  }
  return result;
}

std::string title(std::string_view name) {
  return fmt::format(".TH {} 1 \"\" \"dachlast {}\" \"User Commands\"\n", name, DACHLAST_VERSION);
}

std::string verbatim(std::string_view text) {
  return fmt::format(".nf\n{}.fi\n", troff(text));
}

std::string option_block(const OptionText& option) {
  std::string block = fmt::format(".TP\n\\fB{}\\fR", troff(option.names));
  if (!option.positional && !option.placeholder.empty()) block += fmt::format(" \\fI{}\\fR", troff(option.placeholder));
  block += "\n" + troff(option.description) + ".";
  if (!option.default_value.empty()) block += fmt::format(" Default: {}.", troff(option.default_value));
  return block + "\n";
}

constexpr std::string_view kFiles =
    ".SH FILES\n"
    ".TP\n\\fI*.dachlast\\fR\nA run: an SQLite database, written by `dachlast run`, read by show, export, compare and "
    "report.\n"
    ".TP\n\\fI$XDG_DATA_HOME/dachlast/\\fR\nThe measured roofs of this computer, written by `dachlast calibrate`.\n"
    ".TP\n\\fI$XDG_CONFIG_HOME/dachlast/config.toml\\fR\nDefaults for options, one table a command.\n";

}  // namespace

std::string program_man_page(std::span<const CommandRow> rows) {
  std::string page = title("DACHLAST");
  page += ".SH NAME\ndachlast \\- measure and predict the memory and compute load of transformer layers\n";
  page += ".SH SYNOPSIS\n\\fBdachlast\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n.SH COMMANDS\n";
  for (const auto& row : rows)
    if (!row.examples.empty())
      page += fmt::format(".TP\n\\fBdachlast\\-{0}\\fR(1)\n{1}\n", row.name, troff(row.summary));
  page += kFiles;
  page +=
      ".SH ENVIRONMENT\nEvery option of every command can be set by \\fBDACHLAST_\\fR and its name in capitals.\n"
      ".TP\n\\fBDACHLAST_DATA_DIR\\fR\nFolder of the bundled models, where it is not beside the program.\n"
      ".TP\n\\fBNO_COLOR\\fR, \\fBCOLUMNS\\fR, \\fBTERM\\fR\nHonoured as usual.\n";
  return page + ".SH EXIT STATUS\n" + verbatim(exit_code_table(viewmodel::Words::of(viewmodel::Language::kEnglish)));
}

std::string command_man_page(const CLI::App& app, const CommandRow& row) {
  std::string page = title(fmt::format("DACHLAST-{}", row.name));
  page += fmt::format(".SH NAME\ndachlast\\-{} \\- {}\n", row.name, troff(row.summary));
  page += fmt::format(".SH SYNOPSIS\n\\fBdachlast {}\\fR [\\fIoptions\\fR]", row.name);
  const auto options = option_texts(app);
  for (const auto& option : options)
    if (option.positional) page += fmt::format(" \\fI{}\\fR", troff(option.names));
  page += "\n.SH EXAMPLES\n" + verbatim(row.examples) + ".SH OPTIONS\n";
  for (const auto& option : options) page += option_block(option);
  return page + ".SH EXIT STATUS\n" + verbatim(exit_code_table(viewmodel::Words::of(viewmodel::Language::kEnglish))) +
         ".SH SEE ALSO\n\\fBdachlast\\fR(1)\n";
}

}  // namespace dachlast::cli
