#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/viewmodel/table.h"
#include "core/workbench/project.h"

namespace dachlast {

/// A project as people read it: what it holds, one run and one scenario a row.
struct ProjectView {
  std::string answer;  // "Holds 2 runs and 1 scenario; the baseline is before."
  std::string note;
  viewmodel::Table runs;
  viewmodel::Table scenarios;         // no rows where none is pinned
  std::vector<std::string> problems;  // runs and scenarios that cannot be opened, each with its reason
};

ProjectView project_view(const Project& project);

/// What a report of a project is about: the run shown, held against the baseline where another run is that.
struct ProjectSubject {
  std::filesystem::path run;       // empty where the project lists no run
  std::filesystem::path baseline;  // empty where there is none beside it
  std::string note;                // of the run, else of the project
};

/// The run shown, else the last one listed.
ProjectSubject subject_of(const Project& project);

/// The scenario a report of a project without runs is about: the first pinned one, else the one being edited; empty where
/// there is neither.
/// Errors   as `find_scenario` and `plan_scenario`.
std::optional<ScenarioPlan> plan_of(const Project& project);

}  // namespace dachlast
