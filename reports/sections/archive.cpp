// Sections 10 to 12: what to keep in mind, how to repeat it, and the data itself.
#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {
namespace {

std::string remarks(std::string_view title, const std::vector<Remark>& list) {
  if (list.empty()) return {};
  std::string html = fmt::format("<h3>{}</h3>\n<ul>\n", title);
  for (const auto& remark : list)
    html += fmt::format("<li>{} <code>{}</code></li>\n", html_escape(remark.text), html_escape(remark.code));
  return html + "</ul>\n";
}

// "</script" and "<!--" end or change a script element wherever they stand; without "<" neither can occur.
std::string json_in_html(const std::string& json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char c : json) {
    if (c == '<')
      escaped += "\\u003c";
    else
      escaped += c;
  }
  return escaped;
}

}  // namespace

std::string assumptions_section(const RunReport& report) {
  return html_section("assumptions", "Assumptions and limits",
                      remarks("Warnings", report.view.warnings) + remarks("Assumptions", report.view.assumptions));
}

std::string reproduce_section(const RunReport& report) {
  std::string body;
  if (!report.command.empty()) body += fmt::format("<pre><code>{}</code></pre>\n", html_escape(report.command));
  if (!report.generated_text.empty())
    body += html_paragraph("In this run the model wrote:") +
            fmt::format("<blockquote>{}</blockquote>\n", html_escape(report.generated_text));
  return html_section("reproduce", "Reproduce this", body);
}

std::string data_section(const RunReport& report) {
  std::string body = html_paragraph(
      "This file holds the run as data, in the schema of `dachlast show --format json`, in the element with the id "
      "dachlast-data.");
  body += "<p class=\"actions\"><button type=\"button\" id=\"save-json\" hidden>Save JSON</button></p>\n";
  body += "<script type=\"application/json\" id=\"dachlast-data\">" + json_in_html(report.json) + "</script>\n";
  return html_section("data", "Data", body);
}

}  // namespace dachlast::reports
