#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string options_section(const viewmodel::ReportView& report, const Page& page) {
  if (!report.options) return {};
  std::string body = html_paragraphs(report.options->lines, "lead");
  if (report.options->chart) body += html_figure(page, *report.options->chart);
  for (const auto& table : report.options->tables) body += html_table(page, table);
  return html_section(page, "options", "Options", body);
}

}  // namespace dachlast::reports
