#pragma once

#include <string>

#include "core/viewmodel/report_view.h"
#include "core/workbench/scenario.h"

namespace dachlast {

/// The report of a scenario: whether it fits, what fills the memory, what was assumed. `options` may be filled in by
/// whoever has compared configurations.
viewmodel::ReportView report_view(const ScenarioPlan& plan);

/// The line that prints the same plan, with everything stated that the request states. Folders are left out.
std::string plan_command(const ScenarioPlan& plan);

}  // namespace dachlast
