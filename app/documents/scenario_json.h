#pragma once

#include <span>
#include <string>

#include "core/workbench/scenario.h"
#include "core/workbench/scenario_speed.h"

namespace dachlast {

/// "dachlast.plan/1": one scenario.
std::string json_scenario(const ScenarioPlan& plan);

/// One such document a line.
std::string jsonl_scenarios(std::span<const ScenarioPlan> plans);

/// "dachlast.plans/1": several scenarios.
std::string json_scenarios(std::span<const ScenarioPlan> plans);

/// "dachlast.sweep/1": a grid of contexts and batches.
std::string json_sweep(const ScenarioSweep& sweep, const SweepSpeeds& speeds);

}  // namespace dachlast
