#pragma once

#include <string>

#include "core/viewmodel/language.h"
#include "core/viewmodel/report_view.h"
#include "core/workbench/recommend_page.h"
#include "core/workbench/scenario.h"

namespace dachlast {

/// The report of a scenario: whether it fits, what fills the memory, what was assumed. `units`: of the axes of memory;
/// `wording`: of the language charts will be read in.
viewmodel::ReportView report_view(const ScenarioPlan& plan,
                                  viewmodel::CapacityUnits units = viewmodel::CapacityUnits::kIec,
                                  const figure::Wording* wording = nullptr);

/// Adds the predicted speed of a plan, at its sizes and over batch and context, or why there is none.
void add_speed(viewmodel::ReportView& report, ScenarioPlan plan, const figure::Wording* wording = nullptr);

/// The question which hardware would serve the load of a plan: as many requests as its batch, at its context.
RecommendRequest options_request(const ScenarioPlan& plan);
/// Adds what was found: options, the chart of all candidates, the nearest of those rejected.
void add_options(viewmodel::ReportView& report, const RecommendPage& page, const figure::Wording* wording = nullptr);

/// All of the above. Searching hardware takes about a second.
viewmodel::ReportView full_report_view(const ScenarioPlan& plan,
                                       viewmodel::CapacityUnits units = viewmodel::CapacityUnits::kIec,
                                       const figure::Wording* wording = nullptr);

/// The line that prints the same plan, with everything stated that the request states. Folders are left out.
std::string plan_command(const ScenarioPlan& plan);

}  // namespace dachlast
