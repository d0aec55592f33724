#include "tests/hygiene/rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <sstream>

#include "core/base/error.h"

namespace dachlast::hygiene {
namespace {

using Words = std::vector<std::string>;

[[noreturn]] void refuse(std::string_view line, std::string_view reason) {
  throw Error(ErrorKind::kInput, fmt::format("rule \"{}\"", line), std::string(reason));
}

Words words_of(const std::string& line) {
  std::istringstream stream(line);
  Words words;
  for (std::string word; stream >> word && !word.starts_with('#');) words.push_back(word);
  return words;
}

Layer parse_layer(const std::string& line, const Words& words) {
  const auto arrow = std::find(words.begin(), words.end(), "->");
  if (arrow == words.end() || arrow - words.begin() < 3) refuse(line, "wants: layer NAME FOLDER... -> LAYER...");
  return {words[1], Words(words.begin() + 2, arrow), Words(arrow + 1, words.end())};
}

HeaderRule parse_header(const std::string& line, const Words& words) {
  if (words.size() == 3 && words[2] == "sources") return {words[1], HeaderScope::kSources, {}};
  if (words.size() < 4 || (words[2] != "only" && words[2] != "never"))
    refuse(line, "wants: header PREFIX only|never FOLDER... or header PREFIX sources");
  const auto scope = words[2] == "only" ? HeaderScope::kOnly : HeaderScope::kNever;
  return {words[1], scope, Words(words.begin() + 3, words.end())};
}

TextRule parse_text(const std::string& line, const Words& words) {
  if (words.size() < 4 || words[2] != "never") refuse(line, "wants: text LITERAL never FOLDER...");
  return {words[1], Words(words.begin() + 3, words.end())};
}

LengthRule parse_length(const std::string& line, const Words& words) {
  int max_lines = 0;
  if (words.size() >= 3) std::from_chars(words[1].data(), words[1].data() + words[1].size(), max_lines);
  if (max_lines <= 0) refuse(line, "wants: lines N FOLDER...");
  return {max_lines, Words(words.begin() + 2, words.end())};
}

void parse_line(const std::string& line, Rules& rules) {
  const Words words = words_of(line);
  if (words.empty()) return;
  if (words[0] == "layer")
    rules.layers.push_back(parse_layer(line, words));
  else if (words[0] == "header")
    rules.headers.push_back(parse_header(line, words));
  else if (words[0] == "text")
    rules.texts.push_back(parse_text(line, words));
  else if (words[0] == "lines")
    rules.lengths.push_back(parse_length(line, words));
  else
    refuse(line, "unknown kind of rule");
}

const Layer* layer_named(const Rules& rules, std::string_view name) {
  const auto found =
      std::find_if(rules.layers.begin(), rules.layers.end(), [&](const Layer& layer) { return layer.name == name; });
  return found == rules.layers.end() ? nullptr : &*found;
}

// Arrows may point only to layers written further up, which also rules out cycles.
void check_arrows(const Rules& rules) {
  for (const Layer& layer : rules.layers)
    for (const std::string& name : layer.sees) {
      const Layer* seen = layer_named(rules, name);
      if (seen == nullptr || seen >= &layer)
        refuse(fmt::format("layer {}", layer.name), fmt::format("its arrow to {} points to no layer above it", name));
    }
}

}  // namespace

bool is_within(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool is_within_any(std::string_view path, const std::vector<std::string>& folders) {
  return std::any_of(folders.begin(), folders.end(),
                     [&](const std::string& folder) { return is_within(path, folder); });
}

const Layer* Rules::layer_of(std::string_view path) const {
  const Layer* best = nullptr;
  std::size_t best_size = 0;
  for (const Layer& layer : layers)
    for (const std::string& folder : layer.folders)
      if (is_within(path, folder) && folder.size() > best_size) {
        best = &layer;
        best_size = folder.size();
      }
  return best;
}

bool Rules::reaches(const Layer& from, const Layer& to) const {
  if (&from == &to) return true;
  return std::any_of(from.sees.begin(), from.sees.end(),
                     [&](const std::string& name) { return reaches(*layer_named(*this, name), to); });
}

Rules parse_rules(std::string_view table) {
  Rules rules;
  std::istringstream stream{std::string(table)};
  for (std::string line; std::getline(stream, line);) parse_line(line, rules);
  check_arrows(rules);
  return rules;
}

}  // namespace dachlast::hygiene
