#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string appendix_section(const viewmodel::ReportView& report, const Page& page) {
  std::string body;
  for (std::size_t i = 0; i < report.appendix.size(); ++i) {
    figure::Figure chart = report.appendix[i];
    // The same chart may stand in a section of its own: ids are unique in a document.
    chart.id = fmt::format("appendix-{}", i + 1);
    body += fmt::format("<h3>{}</h3>\n", html_escape(chart.title)) + html_figure(page, chart);
  }
  return html_section(page, "appendix", "Added charts", body);
}

}  // namespace dachlast::reports
