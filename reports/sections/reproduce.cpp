#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string reproduce_section(const viewmodel::ReportView& report, const Page& page) {
  std::string body;
  if (!report.command.empty()) body += fmt::format("<pre><code>{}</code></pre>\n", html_escape(report.command));
  if (report.inputs) body += html_table(page, *report.inputs);
  if (!report.generated_text.empty())
    body += html_paragraph(page.words("In this run the model wrote:")) +
            fmt::format("<blockquote lang=\"\">{}</blockquote>\n", html_escape(report.generated_text));
  return html_section(page, "reproduce", "Reproduce this", body);
}

}  // namespace dachlast::reports
