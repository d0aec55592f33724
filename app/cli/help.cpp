#include "app/cli/help.h"

#include <fmt/core.h>

#include <algorithm>

#include "core/viewmodel/format.h"

namespace dachlast::cli {
namespace {

struct ExitMeaning {
  int code;
  std::string_view meaning;
};

constexpr ExitMeaning kExitCodes[] = {{0, "done, and every condition met"},
                                      {1, "failure"},
                                      {2, "wrong usage"},
                                      {3, "does not fit, or no configuration meets the limits"},
                                      {4, "regression beyond --fail-on"},
                                      {5, "device or permission missing"},
                                      {6, "unreadable input"},
                                      {130, "interrupted"}};

constexpr std::string_view kProgramExamples =
    "  dachlast run --model stories-260k   # measure a real trained model on this computer\n"
    "  dachlast report gpt2.dachlast       # write the HTML report of a run\n"
    "  dachlast doctor                     # what can be measured here\n";

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

std::string names_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::vector<std::string> names;
  for (const auto& name : option.get_snames()) names.push_back("-" + name);
  for (const auto& name : option.get_lnames()) names.push_back("--" + name);
  return joined(names, ", ");
}

/// Choices travel in the type name as "{a,b,c}", which is how CLI11's IsMember describes itself.
std::vector<std::string> choices_of(const std::string& type_name) {
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type_name.substr(open + 1, close - open - 1), ',');
}

std::string placeholder_of(const CLI::Option& option, const std::vector<std::string>& choices) {
  if (option.get_items_expected_max() == 0) return {};
  return choices.empty() ? option.get_type_name() : joined(choices, "|");
}

OptionText text_of(const CLI::Option& option) {
  OptionText text;
  text.names = names_of(option);
  text.choices = choices_of(option.get_type_name());
  text.placeholder = placeholder_of(option, text.choices);
  text.description = option.get_description();
  text.default_value = option.get_default_str();
  text.group = option.get_group();
  for (const auto& name : option.get_lnames()) text.long_names.push_back("--" + name);
  text.takes_value = option.get_items_expected_max() > 0;
  text.positional = option.get_positional();
  return text;
}

constexpr std::size_t kHelpWidth = 80;
constexpr std::size_t kDescriptionColumn = 28;

/// In the reader's language, with spaces that lines may end at.
std::string said(const viewmodel::Words& words, std::string_view english) {
  return viewmodel::plain_spaces(words(english));
}

std::string option_line(const OptionText& option, const viewmodel::Words& words) {
  std::string left = "  " + option.names;
  if (!option.positional && !option.placeholder.empty()) left += " " + option.placeholder;
  left += left.size() + 2 > kDescriptionColumn ? "\n" + std::string(kDescriptionColumn, ' ')
                                               : std::string(kDescriptionColumn - left.size(), ' ');
  std::string description = said(words, option.description);
  if (!option.default_value.empty())
    description += " " + said(words, fmt::format("(default {})", option.default_value));
  return left + wrapped(description, kDescriptionColumn, kHelpWidth) + "\n";
}

std::string group_block(const std::vector<OptionText>& options, std::string_view group, const viewmodel::Words& words) {
  std::string block;
  for (const auto& option : options)
    if (option.group == group) block += option_line(option, words);
  return block.empty() ? block : fmt::format("\n{}:\n{}", said(words, group), block);
}

/// Lines of "command  # comment": the comments are sentences.
std::string example_lines(std::string_view lines, const viewmodel::Words& words) {
  std::string text;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size() - 1);
    const std::string_view line = lines.substr(0, end);
    const std::size_t mark = line.find(" # ");
    text += mark == std::string_view::npos
                ? fmt::format("{}\n", line)
                : fmt::format("{} # {}\n", line.substr(0, mark), said(words, line.substr(mark + 3)));
    lines.remove_prefix(end + 1);
  }
  return text;
}

std::string head(const CLI::App& app, const CommandRow& row, const viewmodel::Words& words) {
  std::string usage = fmt::format("{}: dachlast {} {}", said(words, "Usage"), row.name, said(words, "[options]"));
  for (const auto& option : option_texts(app))
    if (option.positional) usage += " " + option.names;
  return fmt::format("{}\n\n{}:\n{}\n{}\n", wrapped(said(words, row.summary), 0, kHelpWidth), said(words, "Examples"),
                     example_lines(row.examples, words), usage);
}

}  // namespace

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string result;
  std::size_t column = indent;
  for (const auto& word : CLI::detail::split(std::string(text), ' ')) {
    if (column > indent && column + 1 + word.size() > width) {
      result += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      result += ' ';
      ++column;
    }
    result += word;
    column += word.size();
  }
  return result;
}

namespace {

/// The groups that have options: the main ones first, a command's own next, those of every command last.
std::vector<std::string> groups_of(const std::vector<OptionText>& options) {
  std::vector<std::string> groups = {kMainGroup, kMoreGroup};
  for (const OptionText& option : options)
    if (option.group != kCommonGroup && std::find(groups.begin(), groups.end(), option.group) == groups.end())
      groups.push_back(option.group);
  groups.emplace_back(kCommonGroup);
  return groups;
}

}  // namespace

std::vector<OptionText> option_texts(const CLI::App& app) {
  std::vector<OptionText> texts;
  for (const auto* option : app.get_options())
    if (!option->get_group().empty()) texts.push_back(text_of(*option));
  return texts;
}

std::string exit_code_table(const viewmodel::Words& words) {
  std::string table;
  for (const ExitMeaning& row : kExitCodes) table += fmt::format("  {:<3}  {}\n", row.code, said(words, row.meaning));
  return table;
}

std::string program_help(std::span<const CommandRow> rows, const viewmodel::Words& words) {
  const std::string command = said(words, "COMMAND");
  std::string text =
      fmt::format("{}\n\n{}:\n{}\n{}: dachlast {} {}\n\n{}:\n",
                  said(words, "Dachlast measures and predicts the memory and compute load of transformer layers."),
                  said(words, "Examples"), example_lines(kProgramExamples, words), said(words, "Usage"), command,
                  said(words, "[options]"), said(words, "Commands"));
  for (const auto& row : rows)
    if (!row.examples.empty())
      text += fmt::format("  {:<12} {}\n", row.name, wrapped(said(words, row.summary), 15, kHelpWidth));
  const std::string more =
      fmt::format("`dachlast {} -h` shows examples and the main options, `--help` everything.", command);
  return text + "\n" + wrapped(said(words, more), 0, kHelpWidth) + "\n";
}

std::string short_help(const CLI::App& app, const CommandRow& row, const viewmodel::Words& words) {
  return head(app, row, words) + group_block(option_texts(app), kMainGroup, words) +
         fmt::format("\n{}\n", said(words, fmt::format("`dachlast {} --help` shows all options.", row.name)));
}

std::string full_help(const CLI::App& app, const CommandRow& row, const viewmodel::Words& words) {
  const auto options = option_texts(app);
  std::string text = head(app, row, words);
  for (const std::string& group : groups_of(options)) text += group_block(options, group, words);
  const std::string elsewhere = said(words,
                                     "Every option can also be set by an environment variable, DACHLAST_ and its name "
                                     "in capitals (DACHLAST_CONTEXT=4096), or in config.toml. Options win.");
  return text + fmt::format("\n{}\n\n{}:\n{}", wrapped(elsewhere, 0, kHelpWidth), said(words, "Exit codes"),
                            exit_code_table(words));
}

}  // namespace dachlast::cli
