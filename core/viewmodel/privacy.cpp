#include "core/viewmodel/privacy.h"

#include <algorithm>

namespace dachlast::viewmodel {
namespace {

bool is_path(std::string_view word) {
  for (const std::string_view start : {"/", "./", "../", "~/"})
    if (word.starts_with(start)) return true;
  return false;
}

// A quoted word ends at its quote, so that a folder with a space in its name does not slip through.
std::size_t word_end(std::string_view text, std::size_t start) {
  if (text[start] == '\'' || text[start] == '"') {
    const std::size_t close = text.find(text[start], start + 1);
    return close == std::string_view::npos ? text.size() : close + 1;
  }
  return std::min(text.find_first_of(" =,", start), text.size());
}

std::string last_component(std::string_view word) {
  const bool quoted = word.size() >= 2 && (word.front() == '\'' || word.front() == '"');
  std::string_view path = quoted ? word.substr(1, word.size() - 2) : word;
  if (!is_path(path)) return std::string(word);
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::string name(path.substr(path.rfind('/') + 1));
  return quoted ? word.front() + name + word.front() : name;
}

}  // namespace

std::string without_folders(std::string_view command) {
  std::string text;
  std::size_t at = 0;
  while (at < command.size()) {
    if (command[at] == ' ' || command[at] == '=' || command[at] == ',') {
      text += command[at++];
      continue;
    }
    const std::size_t end = word_end(command, at);
    text += last_component(command.substr(at, end - at));
    at = end;
  }
  return text;
}

Run without_paths(const Run& run) {
  Run shown = run;
  shown.command = without_folders(run.command);
  shown.model.name = last_component(run.model.name);
  shown.model.weights = last_component(run.model.weights);
  return shown;
}

}  // namespace dachlast::viewmodel
