#include <fmt/core.h>

#include <vector>

#include "app/cli/generators.h"
#include "app/cli/help.h"

namespace dachlast::cli {
namespace {

std::vector<const CLI::App*> shown_verbs(const CLI::App& program) {
  return program.get_subcommands([](const CLI::App* verb) { return !verb->get_group().empty(); });
}

std::string spaced(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string all_option_names(const CLI::App& verb) {
  std::vector<std::string> names;
  for (const auto& option : option_texts(verb))
    names.insert(names.end(), option.long_names.begin(), option.long_names.end());
  return spaced(names);
}

/// Single quotes of a description would end the quoted string it is put into.
std::string unquoted(std::string text) {
  std::erase(text, '\'');
  return text;
}

}  // namespace

std::string bash_completion(const CLI::App& program) {
  std::string verbs;
  std::string cases;
  std::string choices;
  for (const auto* verb : shown_verbs(program)) {
    verbs += (verbs.empty() ? "" : " ") + verb->get_name();
    cases += fmt::format("    {}) words=\"{}\" ;;\n", verb->get_name(), all_option_names(*verb));
    for (const auto& option : option_texts(*verb))
      for (const auto& name : option.long_names)
        if (!option.choices.empty())
          choices += fmt::format("    {}:{}) words=\"{}\" ;;\n", verb->get_name(), name, spaced(option.choices));
  }
  return fmt::format(
      "# bash completion for dachlast\n"
      "_dachlast() {{\n"
      "  local current=\"${{COMP_WORDS[COMP_CWORD]}}\" previous=\"${{COMP_WORDS[COMP_CWORD-1]}}\" words=\"\"\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$current\")); return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}:$previous\" in\n"
      "    *:--model) words=\"$(dachlast models --format csv 2>/dev/null | tail -n +2 | cut -d, -f1)\" ;;\n"
      "{}  esac\n"
      "  if [ -z \"$words\" ] && [[ \"$current\" == -* ]]; then\n"
      "    case \"${{COMP_WORDS[1]}}\" in\n{}    esac\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  [ \"${{#COMPREPLY[@]}}\" -gt 0 ] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "}}\n"
      "complete -o filenames -F _dachlast dachlast\n",
      verbs, choices, cases);
}

std::string zsh_completion(const CLI::App& program) {
  std::string verbs;
  std::string cases;
  for (const auto* verb : shown_verbs(program)) {
    verbs += fmt::format("    '{}:{}'\n", verb->get_name(), unquoted(verb->get_description()));
    cases += fmt::format("    {})\n      _arguments", verb->get_name());
    for (const auto& option : option_texts(*verb))
      for (const auto& name : option.long_names)
        cases += fmt::format(" \\\n        '{}[{}]{}'", name, unquoted(option.description),
                             option.takes_value
                                 ? fmt::format(":value:{}", option.choices.empty() ? std::string("_files")
                                                                                   : "(" + spaced(option.choices) + ")")
                                 : std::string{});
    cases += " \\\n        '*:file:_files'\n      ;;\n";
  }
  return fmt::format(
      "#compdef dachlast\n"
      "_dachlast() {{\n"
      "  local -a verbs\n  verbs=(\n{}  )\n"
      "  if (( CURRENT == 2 )); then _describe 'command' verbs; return; fi\n"
      "  local verb=$words[2]\n  shift words; (( CURRENT-- ))\n"
      "  case $verb in\n{}  esac\n"
      "}}\n_dachlast \"$@\"\n",
      verbs, cases);
}

std::string fish_completion(const CLI::App& program) {
  std::string text = "# fish completion for dachlast\n";
  for (const auto* verb : shown_verbs(program)) {
    text += fmt::format("complete -c dachlast -n __fish_use_subcommand -f -a {} -d '{}'\n", verb->get_name(),
                        unquoted(verb->get_description()));
    for (const auto& option : option_texts(*verb))
      for (const auto& name : option.long_names)
        text += fmt::format("complete -c dachlast -n '__fish_seen_subcommand_from {}' -l {}{}{} -d '{}'\n",
                            verb->get_name(), name.substr(2), option.takes_value ? " -r" : "",
                            option.choices.empty() ? std::string{} : " -f -a '" + spaced(option.choices) + "'",
                            unquoted(option.description));
  }
  return text;
}

}  // namespace dachlast::cli
