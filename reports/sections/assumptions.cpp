#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

namespace {

std::string remarks(const Page& page, std::string_view title, const std::vector<Remark>& list) {
  if (list.empty()) return {};
  std::string html = fmt::format("<h3>{}</h3>\n<ul>\n", html_escape(page.words(title)));
  for (const auto& remark : list)
    html += fmt::format("<li>{} <code>{}</code></li>\n", html_escape(remark.text), html_escape(remark.code));
  return html + "</ul>\n";
}

std::string accuracy(const Page& page, const viewmodel::ReportView& report) {
  std::string body = html_paragraphs(report.accuracy_lines);
  if (report.accuracy) body += html_table(page, *report.accuracy);
  return body.empty() ? body : fmt::format("<h3>{}</h3>\n", html_escape(page.words("Error of the estimates"))) + body;
}

std::string left_out(const Page& page, const std::vector<viewmodel::LeftOut>& list) {
  if (list.empty()) return {};
  std::string html =
      fmt::format("<h3>{}</h3>\n<dl class=\"left-out\">\n", html_escape(page.words("Not in this report")));
  for (const auto& left : list)
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_escape(left.section), html_escape(left.reason));
  return html + "</dl>\n";
}

}  // namespace

std::string assumptions_section(const viewmodel::ReportView& report, const Page& page) {
  return html_section(page, "assumptions", "Assumptions and limits",
                      remarks(page, "Warnings", report.warnings) + remarks(page, "Assumptions", report.assumptions) +
                          accuracy(page, report) + left_out(page, report.left_out));
}

}  // namespace dachlast::reports
