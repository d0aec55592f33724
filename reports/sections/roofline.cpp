#include <fmt/format.h>

#include "reports/escape.h"
#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string roofline_section(const viewmodel::ReportView& report, const Page& page) {
  if (!report.roofline) return {};
  std::string more;
  for (std::size_t i = 0; i < report.roofline_tables.size(); ++i) {
    if (i == 1) more += fmt::format("<h3>{}</h3>\n", html_escape(page.words("Roofs")));
    more += html_table(page, report.roofline_tables[i]);
  }
  return html_section(page, "roofline", "Roofline", html_figure(page, *report.roofline) + html_more(page, more),
                      Shown::kAlways);
}

}  // namespace dachlast::reports
