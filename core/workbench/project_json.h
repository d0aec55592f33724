#pragma once

#include <nlohmann/json.hpp>

#include "core/workbench/project.h"

namespace dachlast {

nlohmann::json scenario_json(const ProjectScenario& scenario);

/// Throws what nlohmann throws for missing or wrong members.
ProjectScenario scenario_from_json(const nlohmann::json& j);

}  // namespace dachlast
