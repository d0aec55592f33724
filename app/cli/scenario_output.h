#pragma once

#include <span>
#include <string>

#include "app/cli/command.h"
#include "core/workbench/scenario_speed.h"

namespace dachlast::cli {

/// One scenario in full, several as a table to compare.
std::string render_scenarios(std::span<const ScenarioPlan> plans, const CommonOptions& common);

std::string render_sweep(const ScenarioSweep& sweep, const SweepSpeeds& speeds, const CommonOptions& common);

}  // namespace dachlast::cli
