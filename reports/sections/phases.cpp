#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string phases_section(const viewmodel::ReportView& report, const Page& page) {
  std::string body;
  if (report.phase_bars) body += html_figure(page, *report.phase_bars);
  if (report.phases) body += html_table(page, *report.phases);
  for (const auto& point : report.ops) {
    body += fmt::format("<h3>{}</h3>\n", html_escape(point.heading)) + html_paragraph(point.verdict) +
            html_table(page, point.table, Caption::kHidden);
  }
  body += html_paragraph(report.ops_left_out, "note");
  return html_section(page, "phases", "Phases", body);
}

}  // namespace dachlast::reports
