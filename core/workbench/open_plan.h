#pragma once

#include <filesystem>
#include <optional>

#include "core/workbench/scenario.h"

namespace dachlast {

/// The plan that a report or its JSON ("dachlast.plan/1") carries, computed anew by this program with the models and
/// devices it knows; empty where the file holds none.
/// Errors   throws `Error` (kInput) where its data are damaged; as `find_scenario` and `plan_scenario`.
std::optional<ScenarioPlan> open_plan(const std::filesystem::path& file);

}  // namespace dachlast
