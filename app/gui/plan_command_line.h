#pragma once

#include <QString>

#include "ui/views/measure_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {

/// The command line that says the same: "dachlast plan --model …". Words a shell would take apart stand in quotes.
QString plan_command_line(const ui::ScenarioFields& fields);
QString run_command_line(const ui::MeasureFields& fields);

}  // namespace dachlast::gui
