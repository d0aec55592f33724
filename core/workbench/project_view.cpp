#include "core/workbench/project_view.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/table_builder.h"
#include "core/workbench/scenario_view.h"
#include "core/workbench/workbench.h"

namespace dachlast {
namespace {

using viewmodel::Align;
using viewmodel::counted;
using viewmodel::TableBuilder;

std::string name_of(const ProjectRun& run) {
  return run.name.empty() ? run.file.stem().string() : run.name;
}

/// Columns of the table of runs.
struct RunRows {
  std::vector<std::string> names;
  std::vector<std::string> standings;
  std::vector<std::string> subjects;
  std::vector<std::string> dates;
  std::vector<std::string> notes;
  std::vector<std::string> files;
};

void add_run(RunRows& rows, const ProjectRun& run, std::string standing, std::vector<std::string>& problems) {
  rows.names.push_back(name_of(run));
  rows.standings.push_back(std::move(standing));
  rows.notes.push_back(run.note);
  rows.files.push_back(run.file.string());
  try {
    const Run measured = open_run(run.file).run;
    rows.subjects.push_back(
        fmt::format("{} on {}", measured.model.name,
                    measured.roofs.device.empty() ? measured.host.cpu_name : measured.roofs.device));
    rows.dates.push_back(viewmodel::format_date(measured.created_at));
  } catch (const Error& error) {
    rows.subjects.emplace_back(viewmodel::kMissing);
    rows.dates.emplace_back(viewmodel::kMissing);
    problems.emplace_back(error.what());
  }
}

viewmodel::Table runs_of(const Project& project, std::vector<std::string>& problems) {
  RunRows rows;
  for (int i = 0; i < static_cast<int>(project.runs.size()); ++i)
    add_run(rows, project.runs[static_cast<std::size_t>(i)],
            i == project.baseline ? "baseline" : (i == project.shown ? "shown" : ""), problems);
  TableBuilder table("runs", "Runs of the project");
  table.text({"name", "Run", "", "", Align::kLeft}, rows.names);
  table.text({"standing", "Standing", "", "", Align::kLeft, 3}, rows.standings);
  table.text({"subject", "Subject", "", "", Align::kLeft}, rows.subjects);
  table.text({"created_at", "Measured", "", "", Align::kLeft, 2}, rows.dates);
  table.text({"note", "Note", "", "", Align::kLeft, 1}, rows.notes);
  table.text({"file", "File", "", "", Align::kLeft, 4}, rows.files);
  return table.build();
}

ScenarioPlan planned(const ProjectScenario& scenario) {
  const Scenario found = find_scenario(scenario.request);
  return plan_scenario(found, std::min(scenario.context_tokens, found.model().max_context), scenario.batch_size);
}

viewmodel::Table pins_of(const Project& project, std::vector<std::string>& problems) {
  std::vector<ScenarioPlan> plans;
  for (const ProjectScenario& pin : project.pins) {
    try {
      plans.push_back(planned(pin));
    } catch (const Error& error) {
      problems.emplace_back(error.what());
    }
  }
  return scenarios_table(plans);
}

std::string answer_of(const Project& project) {
  const auto n_runs = static_cast<std::int64_t>(project.runs.size());
  const auto n_pins = static_cast<std::int64_t>(project.pins.size());
  const std::string holds =
      fmt::format("Holds {} and {}", counted(n_runs, "run", "runs"), counted(n_pins, "scenario", "scenarios"));
  if (project.baseline < 0) return holds + "; no baseline is set.";
  return fmt::format("{}; the baseline is {}.", holds,
                     name_of(project.runs[static_cast<std::size_t>(project.baseline)]));
}

}  // namespace

ProjectView project_view(const Project& project) {
  ProjectView view{.answer = answer_of(project), .note = project.note, .runs = {}, .scenarios = {}, .problems = {}};
  view.runs = runs_of(project, view.problems);
  view.scenarios = pins_of(project, view.problems);
  return view;
}

ProjectSubject subject_of(const Project& project) {
  ProjectSubject subject{.run = {}, .baseline = {}, .note = project.note};
  if (project.runs.empty()) return subject;
  const int shown = project.shown >= 0 ? project.shown : static_cast<int>(project.runs.size()) - 1;
  const ProjectRun& run = project.runs[static_cast<std::size_t>(shown)];
  subject.run = run.file;
  if (!run.note.empty()) subject.note = run.note;
  if (project.baseline >= 0 && project.baseline != shown)
    subject.baseline = project.runs[static_cast<std::size_t>(project.baseline)].file;
  return subject;
}

std::optional<ScenarioPlan> plan_of(const Project& project) {
  if (!project.pins.empty()) return planned(project.pins.front());
  return project.scenario.empty() ? std::nullopt : std::optional(planned(project.scenario.front()));
}

}  // namespace dachlast
