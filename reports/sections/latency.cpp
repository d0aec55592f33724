#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string latency_section(const viewmodel::ReportView& report, const Page& page) {
  std::string body = html_paragraphs(report.latency_lines, "lead");
  for (const auto& chart : report.latency_charts) body += html_figure(page, chart);
  for (const auto& table : report.latency_tables) body += html_table(page, table);
  return html_section(page, "latency", "Latency and throughput", body);
}

}  // namespace dachlast::reports
