#include "reports/html_parts.h"

#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/svg.h"

namespace dachlast::reports {
namespace {

using viewmodel::Align;
using viewmodel::Cell;
using viewmodel::Column;
using viewmodel::Table;

// Longer texts may wrap; shorter ones are names and stay on one line.
constexpr std::size_t kLongText = 40;

std::string head_cell(const Column& column) {
  const std::string unit =
      column.unit.empty() ? std::string() : fmt::format("<span class=\"unit\">{}</span>", html_escape(column.unit));
  const std::string title =
      column.description.empty() ? std::string() : fmt::format(" title=\"{}\"", html_escape(column.description));
  return fmt::format("<th scope=\"col\" data-key=\"{}\"{}{}>{}{}</th>", html_escape(column.key),
                     column.align == Align::kRight ? " class=\"num\"" : "", title, html_escape(column.title), unit);
}

// The raw value rides along where it is a number, so that a script sorts by what is meant, not by what is shown.
std::string sort_value(const Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell.raw)) return fmt::format(" data-v=\"{:.6g}\"", *number);
  if (const auto* count = std::get_if<std::int64_t>(&cell.raw)) return fmt::format(" data-v=\"{}\"", *count);
  const auto* text = std::get_if<std::string>(&cell.raw);
  // Saved tables are not translated.
  return text && *text != cell.text ? fmt::format(" data-s=\"{}\"", html_escape(*text)) : std::string();
}

std::string body_cell(const Cell& cell, const Column& column, bool first) {
  const std::string_view approx = cell.origin == Origin::kEstimated ? "≈\u00a0" : "";
  const std::string text = fmt::format("{}{}", approx, html_escape(cell.text));
  const bool is_long = cell.text.size() > kLongText;
  const std::string_view css = column.align == Align::kRight ? " class=\"num\"" : is_long ? " class=\"long\"" : "";
  return first ? fmt::format("<th scope=\"row\"{}{}>{}</th>", css, sort_value(cell), text)
               : fmt::format("<td{}{}>{}</td>", css, sort_value(cell), text);
}

std::string rows_of(const Table& table) {
  std::string html;
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) html += body_cell(row[i], table.columns[i], i == 0);
    html += "</tr>\n";
  }
  return html;
}

}  // namespace

namespace {

// Captions, styles and buttons are nothing to a rich-text widget: what they say is written out.
std::string rich_table(const Table& table, Caption caption) {
  std::string html =
      caption == Caption::kHidden ? std::string() : fmt::format("<p><b>{}</b></p>\n", html_escape(table.title));
  html += "<table class=\"data\" border=\"0\" cellspacing=\"0\" cellpadding=\"4\">\n<tr>";
  const auto align = [](const Column& column) { return column.align == Align::kRight ? " align=\"right\"" : ""; };
  for (const auto& column : table.columns)
    html += fmt::format("<th{}>{}</th>", align(column), html_escape(head_of(column)));
  html += "</tr>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      html += fmt::format("<td{}>{}{}</td>", align(table.columns[i]),
                          row[i].origin == Origin::kEstimated ? "≈\u00a0" : "", html_escape(row[i].text));
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

}  // namespace

std::string html_table(const Page& page, const Table& table, Caption caption) {
  if (page.rich_text()) return rich_table(table, caption) + html_paragraphs(table.notes, "note");
  std::string html = fmt::format(
      "<div class=\"table\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table id=\"table-{1}\">\n<caption><span "
      "class=\"{2}\">{0}</span>"
      "<button type=\"button\" class=\"csv\" data-table=\"{1}\" hidden>{3}</button></caption>\n<thead><tr>",
      html_escape(table.title), html_escape(table.id), caption == Caption::kHidden ? "away" : "title",
      html_escape(page.words("Save CSV")));
  for (const auto& column : table.columns) html += head_cell(column);
  html += "</tr></thead>\n<tbody>\n" + rows_of(table) + "</tbody>\n</table></div>\n";
  return html + html_paragraphs(table.notes, "note");
}

std::string html_figure(const Page& page, const figure::Figure& figure) {
  if (!page.rich_text()) return fmt::format("<figure>{}</figure>\n", svg(figure));
  page.pictures->push_back(figure);
  return fmt::format("<p><img src=\"figure:{}\" width=\"{:.0f}\" height=\"{:.0f}\"></p>\n", html_escape(figure.id),
                     figure.size.width, figure.size.height);
}

std::string html_figure(const Page& page, const viewmodel::ResponsiveFigure& figure) {
  if (page.rich_text()) return html_figure(page, figure.wide);
  return fmt::format("<figure><div class=\"wide\">{}</div><div class=\"narrow\">{}</div></figure>\n", svg(figure.wide),
                     svg(figure.narrow));
}

std::string html_beside(const Page& page, const std::string& left, const std::string& right) {
  if (page.rich_text())
    return fmt::format("<table cellspacing=\"0\" cellpadding=\"0\"><tr><td>{}</td><td>{}</td></tr></table>\n", left,
                       right);
  return "<div class=\"beside\"><div>" + left + "</div><div>" + right + "</div></div>\n";
}

std::string html_section(const Page& page, std::string_view id, std::string_view title, std::string_view body,
                         Shown shown) {
  if (body.empty() || (shown == Shown::kFullOnly && page.level == ReportLevel::kSummary)) return {};
  return fmt::format(
      "<section id=\"{0}\"{3} aria-labelledby=\"{0}-title\">\n<h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n", id,
      html_escape(page.words(title)), body, shown == Shown::kFullOnly ? " class=\"more\"" : "");
}

std::string html_more(const Page& page, const std::string& body) {
  if (body.empty() || page.level == ReportLevel::kSummary) return {};
  return "<div class=\"more\">\n" + body + "</div>\n";
}

std::string html_paragraph(std::string_view text, std::string_view css_class) {
  if (text.empty()) return {};
  if (css_class.empty()) return fmt::format("<p>{}</p>\n", html_escape(text));
  return fmt::format("<p class=\"{}\">{}</p>\n", css_class, html_escape(text));
}

std::string html_paragraphs(const std::vector<std::string>& texts, std::string_view css_class) {
  std::string html;
  for (const std::string& text : texts) html += html_paragraph(text, css_class);
  return html;
}

}  // namespace dachlast::reports
