#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string memory_section(const viewmodel::ReportView& report, const Page& page) {
  std::string body = html_paragraphs(report.memory_lines);
  if (report.memory_bar) body += html_figure(*report.memory_bar);
  if (report.memory_context) body += html_figure(*report.memory_context);
  std::string more;
  if (report.memory_grid) more += html_figure(*report.memory_grid);
  if (report.memory) more += html_table(page, *report.memory, Caption::kHidden);
  return html_section(page, "memory", "Memory", body + html_more(page, more), Shown::kAlways);
}

}  // namespace dachlast::reports
