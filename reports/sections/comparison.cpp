#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string comparison_section(const viewmodel::ReportView& report, const Page& page) {
  if (!report.comparison) return {};
  const viewmodel::ReportComparison& part = *report.comparison;
  std::string body = html_paragraphs(part.notes);
  body += part.configuration.rows.empty() ? html_paragraph(page.words("The settings of both runs are equal."))
                                          : html_table(page, part.configuration);
  body += html_table(page, part.phases);
  std::string more = part.changed.rows.empty() ? std::string() : html_table(page, part.changed);
  return html_section(page, "comparison", "Comparison", body + html_more(page, more + html_paragraph(part.unchanged)),
                      Shown::kAlways);
}

}  // namespace dachlast::reports
