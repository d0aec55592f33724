#include "reports/markdown.h"

#include <fmt/format.h>

#include "core/viewmodel/format.h"
#include "core/viewmodel/localise.h"
#include "reports/escape.h"

namespace dachlast::reports {
namespace {

using viewmodel::Align;
using viewmodel::Table;
using viewmodel::Words;

std::string cell_text(const viewmodel::Cell& cell) {
  const std::string_view approx = cell.origin == Origin::kEstimated ? "≈ " : "";
  return fmt::format("{}{}", approx, markdown_escape(cell.text));
}

std::string remark_list(std::string_view title, const std::vector<Remark>& remarks, const Words& words) {
  if (remarks.empty()) return {};
  std::string text = fmt::format("\n## {}\n\n", words(title));
  for (const auto& remark : remarks) text += fmt::format("- {}\n", markdown_text(words, remark.text));
  return text;
}

}  // namespace

std::string markdown_escape(std::string_view text) {
  std::string escaped;
  for (const char c : viewmodel::plain_spaces(safe_text(text))) {
    if (c == '\n' || c == '\t') {
      escaped += ' ';
      continue;
    }
    if (std::string_view("\\`*_[]<>|#&~").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string markdown_text(const Words& words, std::string_view english) {
  return markdown_escape(words(english));
}

std::string markdown_table(const Table& english, const Words& words) {
  const Table table = viewmodel::in_language(english, words);
  std::string text = fmt::format("**{}**\n\n|", markdown_escape(table.title));
  for (const auto& column : table.columns) text += fmt::format(" {} |", markdown_escape(head_of(column)));
  text += "\n|";
  for (const auto& column : table.columns) text += column.align == Align::kRight ? " ---: |" : " :--- |";
  for (const auto& row : table.rows) {
    text += "\n|";
    for (const auto& cell : row) text += fmt::format(" {} |", cell_text(cell));
  }
  text += "\n";
  for (const auto& note : table.notes) text += fmt::format("\n{}\n", markdown_escape(note));
  return text;
}

std::string markdown_run(const viewmodel::RunView& view, const Words& words) {
  std::string text = fmt::format("# {}\n", markdown_escape(viewmodel::title_in(words, view.title)));
  for (const auto& sentence : view.answer) text += fmt::format("\n{}\n", markdown_text(words, sentence));
  text += fmt::format("\n{}. {}.\n\n", markdown_text(words, view.configuration_line),
                      markdown_text(words, "Measured, " + view.status));
  if (!view.generated_text.empty()) text += fmt::format("> {}\n\n", markdown_escape(view.generated_text));
  text += markdown_table(view.phases, words);
  for (const auto& point : view.ops)
    text += fmt::format("\n## {}\n\n{}\n\n", markdown_text(words, point.heading), markdown_text(words, point.verdict)) +
            markdown_table(point.table, words);
  if (view.memory) text += "\n" + markdown_table(*view.memory, words);
  if (view.cache_speedup)
    text += fmt::format("\n{}\n\n", markdown_text(words, view.speedup_sentence)) +
            markdown_table(*view.cache_speedup, words);
  if (view.latencies)
    text += fmt::format("\n{}\n\n", markdown_text(words, view.serving_sentence)) +
            markdown_table(*view.latencies, words) + "\n" + markdown_table(*view.kv_use, words);
  if (view.what_if) text += "\n" + markdown_table(*view.what_if, words);
  if (view.kv_traffic) text += "\n" + markdown_table(*view.kv_traffic, words);
  if (view.break_even)
    text += fmt::format("\n{}\n\n", markdown_text(words, view.break_even_sentence)) +
            markdown_table(*view.break_even, words);
  if (!view.memory_sentence.empty()) text += fmt::format("\n{}\n", markdown_text(words, view.memory_sentence));
  return text + remark_list("Warnings", view.warnings, words) + remark_list("Assumptions", view.assumptions, words);
}

std::string markdown_compare(const viewmodel::CompareView& view, const Words& words) {
  std::string text = markdown_text(words, view.answer) + "\n\n";
  if (!view.configuration.rows.empty()) text += markdown_table(view.configuration, words) + "\n";
  text += markdown_table(view.phases, words) + "\n" + markdown_table(view.points, words);
  for (const auto& note : view.notes) text += fmt::format("\n{}\n", markdown_text(words, note));
  return text;
}

}  // namespace dachlast::reports
