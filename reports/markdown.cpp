#include "reports/markdown.h"

#include <fmt/format.h>

#include "core/viewmodel/format.h"
#include "reports/escape.h"

namespace dachlast::reports {
namespace {

using viewmodel::Align;
using viewmodel::Table;

std::string cell_text(const viewmodel::Cell& cell) {
  const std::string_view approx = cell.origin == Origin::kEstimated ? "≈ " : "";
  return fmt::format("{}{}", approx, markdown_escape(cell.text));
}

std::string remark_list(std::string_view title, const std::vector<Remark>& remarks) {
  if (remarks.empty()) return {};
  std::string text = fmt::format("\n## {}\n\n", title);
  for (const auto& remark : remarks) text += fmt::format("- {}\n", markdown_escape(remark.text));
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

std::string markdown_table(const Table& table) {
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

std::string markdown_run(const viewmodel::RunView& view) {
  std::string text = fmt::format("# {}\n", markdown_escape(view.title));
  for (const auto& sentence : view.answer) text += fmt::format("\n{}\n", markdown_escape(sentence));
  text +=
      fmt::format("\n{}. Measured, {}.\n\n", markdown_escape(view.configuration_line), markdown_escape(view.status));
  if (!view.generated_text.empty()) text += fmt::format("> {}\n\n", markdown_escape(view.generated_text));
  text += markdown_table(view.phases);
  for (const auto& point : view.ops)
    text += fmt::format("\n## {}\n\n{}\n\n", markdown_escape(point.heading), markdown_escape(point.verdict)) +
            markdown_table(point.table);
  if (view.memory) text += "\n" + markdown_table(*view.memory);
  if (view.cache_speedup)
    text += fmt::format("\n{}\n\n", markdown_escape(view.speedup_sentence)) + markdown_table(*view.cache_speedup);
  if (view.latencies)
    text += fmt::format("\n{}\n\n", markdown_escape(view.serving_sentence)) + markdown_table(*view.latencies) + "\n" +
            markdown_table(*view.kv_use);
  if (view.what_if) text += "\n" + markdown_table(*view.what_if);
  if (view.kv_traffic) text += "\n" + markdown_table(*view.kv_traffic);
  if (view.break_even)
    text += fmt::format("\n{}\n\n", markdown_escape(view.break_even_sentence)) + markdown_table(*view.break_even);
  if (!view.memory_sentence.empty()) text += fmt::format("\n{}\n", markdown_escape(view.memory_sentence));
  return text + remark_list("Warnings", view.warnings) + remark_list("Assumptions", view.assumptions);
}

std::string markdown_compare(const viewmodel::CompareView& view) {
  std::string text = markdown_escape(view.answer) + "\n\n";
  if (!view.configuration.rows.empty()) text += markdown_table(view.configuration) + "\n";
  text += markdown_table(view.phases) + "\n" + markdown_table(view.points);
  for (const auto& note : view.notes) text += fmt::format("\n{}\n", markdown_escape(note));
  return text;
}

}  // namespace dachlast::reports
