#pragma once

#include <string>

#include "core/viewmodel/language.h"
#include "core/viewmodel/report_view.h"
#include "reports/page.h"

namespace dachlast::reports {

// One function a section of UX.md §4, from view-model to HTML. A section without content is an empty string; what only
// the full report shows is marked, so that a summary can leave it out and a printer can skip it.
std::string summary_section(const viewmodel::ReportView& report, const Page& page);        // 1
std::string configuration_section(const viewmodel::ReportView& report, const Page& page);  // 2
std::string memory_section(const viewmodel::ReportView& report, const Page& page);         // 3
std::string phases_section(const viewmodel::ReportView& report, const Page& page);         // 4
std::string roofline_section(const viewmodel::ReportView& report, const Page& page);       // 5
std::string kv_cache_section(const viewmodel::ReportView& report, const Page& page);       // 6
std::string latency_section(const viewmodel::ReportView& report, const Page& page);        // 7
std::string options_section(const viewmodel::ReportView& report, const Page& page);        // 8
std::string comparison_section(const viewmodel::ReportView& report, const Page& page);     // 9
std::string assumptions_section(const viewmodel::ReportView& report, const Page& page);    // 10
std::string reproduce_section(const viewmodel::ReportView& report, const Page& page);      // 11
std::string appendix_section(const viewmodel::ReportView& report, const Page& page);
std::string data_section(const viewmodel::ReportView& report, const Page& page);  // 12

}  // namespace dachlast::reports
