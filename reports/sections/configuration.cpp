#include "reports/html_parts.h"
#include "reports/sections/sections.h"

namespace dachlast::reports {

std::string configuration_section(const viewmodel::ReportView& report, const Page& page) {
  if (!report.configuration) return {};
  return html_section(page, "configuration", "Configuration",
                      html_table(page, *report.configuration, Caption::kHidden));
}

}  // namespace dachlast::reports
