#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string memory_section(const viewmodel::ReportView& report, const Page& page) {
  const std::string table = report.memory ? html_table(page, *report.memory, Caption::kHidden) : std::string();
  const std::string bar = report.memory_bar ? html_figure(page, *report.memory_bar) : std::string();
  std::string body = html_paragraphs(report.memory_lines);
  std::string more;
  if (report.memory_context) {
    body += html_beside(page, bar, html_figure(page, *report.memory_context));
    if (report.memory_grid) more += html_figure(page, *report.memory_grid);
    more += table;
  } else {
    body += bar.empty() ? table : html_beside(page, bar, table);
  }
  return html_section(page, "memory", "Memory", body + html_more(page, more), Shown::kAlways);
}

}  // namespace dachlast::reports
