#pragma once

#include <string_view>

namespace dachlast::reports {

// The files of reports/assets, put into the program at build time.
extern const std::string_view kReportCss;
extern const std::string_view kReportScript;

}  // namespace dachlast::reports
