#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

namespace {

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

std::string data_section(const viewmodel::ReportView&, const Page& page) {
  if (page.data.empty()) return {};
  std::string body = html_paragraph(
      page.words("This file holds its figures as data, not rounded and not translated: dachlast show, compare and "
                 "report open it."));
  if (page.rich_text()) return html_section(page, "data", "Data", body, Shown::kAlways);
  body += fmt::format("<p class=\"actions\"><button type=\"button\" id=\"save-json\" hidden>{}</button></p>\n",
                      html_escape(page.words("Save JSON")));
  for (const EmbeddedData& data : page.data)
    body += fmt::format("<script type=\"application/json\" id=\"{}\">{}</script>\n", data.id, json_in_html(data.json));
  return html_section(page, "data", "Data", body, Shown::kAlways);
}

}  // namespace dachlast::reports
