#pragma once

#include "core/viewmodel/speed_curves.h"
#include "core/workbench/scenario_speed.h"

namespace dachlast {

/// Predicted speed of a plan over its batch or its context, at the doublings that fit and at the plan itself. Takes up to some
/// hundred milliseconds.
/// Numbers  contexts are split as `split_context` splits them where nobody says more.
viewmodel::SpeedCurves speed_curves_of(const ScenarioPlan& plan, viewmodel::CurveOver over);

}  // namespace dachlast
