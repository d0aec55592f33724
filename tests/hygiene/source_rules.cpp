#include "tests/hygiene/source_rules.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <sstream>

namespace dachlast::hygiene {
namespace {

struct Include {
  int line;
  std::string path;
  bool quoted;
};

bool is_header(std::string_view path) {
  return path.ends_with(".h") || path.ends_with(".cuh");
}

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::vector<std::string> lines_of(std::string_view text) {
  std::istringstream stream{std::string(text)};
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<Include> includes_of(std::string_view text) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> includes;
  const std::vector<std::string> lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(lines[i], match, pattern))
      includes.push_back({static_cast<int>(i) + 1, match[2].str(), match[1].str() == "\""});
  }
  return includes;
}

void check_arrow(const SourceFile& file, const Include& include, const Rules& rules, std::vector<Violation>& found) {
  const Layer* from = rules.layer_of(file.path);
  const Layer* to = rules.layer_of(include.path);
  if (from == nullptr) return;
  if (to == nullptr && include.quoted)
    found.push_back({file.path, include.line, fmt::format("\"{}\" is no path from the root", include.path)});
  if (to != nullptr && !rules.reaches(*from, *to))
    found.push_back(
        {file.path, include.line,
         fmt::format("{} includes {}: no arrow leads from {} to {}", file.path, include.path, from->name, to->name)});
}

bool breaks(const HeaderRule& rule, std::string_view path) {
  switch (rule.scope) {
    case HeaderScope::kOnly: return !is_within_any(path, rule.folders);
    case HeaderScope::kNever: return is_within_any(path, rule.folders);
    case HeaderScope::kSources: return is_header(path);
  }
  return false;
}

std::string_view scope_text(HeaderScope scope) {
  switch (scope) {
    case HeaderScope::kOnly: return "belongs only to";
    case HeaderScope::kNever: return "is not for";
    case HeaderScope::kSources: return "is for .cpp files only";
  }
  return "";
}

void check_header_rules(const SourceFile& file, const Include& include, const Rules& rules,
                        std::vector<Violation>& found) {
  for (const HeaderRule& rule : rules.headers) {
    if (!include.path.starts_with(rule.prefix) || !breaks(rule, file.path)) continue;
    std::string message = fmt::format("<{}> {}", include.path, scope_text(rule.scope));
    for (const std::string& folder : rule.folders) message += " " + folder;
    found.push_back({file.path, include.line, message});
  }
}

/// What is not code at a position: [begin, end) is blanked, reading goes on at `next`.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t next = 0;
};

// The position behind the next `mark`, or the end of the text.
std::size_t behind(std::string_view text, std::string_view mark, std::size_t from) {
  const std::size_t at = text.find(mark, from);
  return at == std::string_view::npos ? text.size() : at + mark.size();
}

Span raw_string_at(std::string_view text, std::size_t at) {
  const std::size_t open = text.find('(', at);
  if (open == std::string_view::npos) return {};
  const std::string close = fmt::format("){}\"", text.substr(at + 2, open - at - 2));
  const std::size_t end = behind(text, close, open);
  return {open + 1, end - close.size(), end};
}

Span quoted_at(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != text[at] && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
  return {at + 1, std::min(end, text.size()), end + 1};
}

Span skipped_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  const bool in_word = at > 0 && is_word(text[at - 1]);  // then ' separates digits: 1'000
  if (rest.starts_with("//")) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    return {at, end, end};
  }
  if (rest.starts_with("/*")) {
    const std::size_t end = behind(text, "*/", at + 2);
    return {at, end, end};
  }
  if (rest.starts_with("R\"") && !in_word) return raw_string_at(text, at);
  if (rest.starts_with('"') || (rest.starts_with('\'') && !in_word)) return quoted_at(text, at);
  return {};
}

// Part of a longer name, a member, or a name of another scope is not the literal; neither is a longer word to its
// right.
bool holds_literal(std::string_view line, std::string_view literal) {
  for (std::size_t at = line.find(literal); at != std::string_view::npos; at = line.find(literal, at + 1)) {
    const char before = at == 0 ? ' ' : line[at - 1];
    const std::size_t end = at + literal.size();
    const char after = end < line.size() ? line[end] : ' ';
    const bool starts = !is_word(before) && before != '.' && before != '>' && before != ':';
    const bool ends = !is_word(literal.back()) || !is_word(after);
    if (starts && ends) return true;
  }
  return false;
}

void check_text_rules(const SourceFile& file, const Rules& rules, std::vector<Violation>& found) {
  const std::vector<std::string> lines = lines_of(code_only(file.text));
  for (const TextRule& rule : rules.texts) {
    if (!is_within_any(file.path, rule.folders)) continue;
    for (std::size_t i = 0; i < lines.size(); ++i)
      if (holds_literal(lines[i], rule.literal))
        found.push_back({file.path, static_cast<int>(i) + 1, fmt::format("{} is not allowed here", rule.literal)});
  }
}

void check_length(const SourceFile& file, const Rules& rules, std::vector<Violation>& found) {
  const auto n_lines = std::count(file.text.begin(), file.text.end(), '\n');
  for (const LengthRule& rule : rules.lengths)
    if (is_within_any(file.path, rule.folders) && n_lines > rule.max_lines)
      found.push_back({file.path, 0, fmt::format("{} lines, more than {}: split it", n_lines, rule.max_lines)});
}

}  // namespace

std::string code_only(std::string_view text) {
  std::string code(text);
  for (std::size_t i = 0; i < text.size();) {
    const Span skipped = skipped_at(text, i);
    for (std::size_t j = skipped.begin; j < skipped.end; ++j)
      if (code[j] != '\n') code[j] = ' ';
    i = std::max(i + 1, skipped.next);
  }
  return code;
}

std::vector<Violation> source_violations(const SourceFile& file, const Rules& rules) {
  std::vector<Violation> found;
  const bool is_test = is_within(file.path, "tests");
  if (!is_test && rules.layer_of(file.path) == nullptr)
    found.push_back({file.path, 0, "its folder belongs to no layer: add a row to tests/hygiene/layers.txt"});
  for (const Include& include : includes_of(file.text)) {
    check_arrow(file, include, rules, found);
    if (!is_test) check_header_rules(file, include, rules, found);
  }
  check_text_rules(file, rules, found);
  check_length(file, rules, found);
  return found;
}

std::vector<Violation> link_violations(const SourceFile& cmake_lists, const Rules& rules) {
  static const std::regex pattern("dachlast::([a-z_]+)");
  std::vector<Violation> found;
  const Layer* layer = rules.layer_of(cmake_lists.path);
  if (layer == nullptr) return found;
  const std::vector<std::string> lines = lines_of(cmake_lists.text);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string code = lines[i].substr(0, lines[i].find('#'));
    for (std::sregex_iterator match(code.begin(), code.end(), pattern), end; match != end; ++match) {
      const std::string name = (*match)[1].str();
      if (name != layer->name && std::find(layer->sees.begin(), layer->sees.end(), name) == layer->sees.end())
        found.push_back({cmake_lists.path, static_cast<int>(i) + 1,
                         fmt::format("{} links dachlast::{}: no such arrow", layer->name, name)});
    }
  }
  return found;
}

}  // namespace dachlast::hygiene
