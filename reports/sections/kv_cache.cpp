#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string kv_cache_section(const viewmodel::ReportView& report, const Page& page) {
  std::string body = html_paragraphs(report.kv_lines, "lead");
  if (report.kv_growth) body += html_figure(page, *report.kv_growth);
  for (const auto& table : report.kv_tables) body += html_table(page, table);
  return html_section(page, "kv-cache", "KV cache", body);
}

}  // namespace dachlast::reports
