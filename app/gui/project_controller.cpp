#include "app/gui/project_controller.h"

#include <QFileInfo>
#include <QTimer>
#include <algorithm>
#include <cmath>

#include "app/gui/open_runs.h"
#include "app/gui/plan_controller.h"
#include "app/gui/said_error.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::to_qt;

// After the last change: a crash loses no more than this.
constexpr int kAutosaveMs = 2000;

/// Where things lie on the screen, and which run is looked at, is kept with the project but is no change of it.
Project without_view(Project project) {
  project.layout = {};
  project.shown = -1;
  return project;
}

bool worth_keeping(const Project& project) {
  const auto edited = [](const ProjectRun& run) {
    return !run.note.empty() || (!run.name.empty() && run.name != run.file.stem().string());
  };
  return !project.pins.empty() || !project.note.empty() || project.baseline >= 0 ||
         std::ranges::any_of(project.runs, edited);
}

}  // namespace

ProjectScenario scenario_of(const ui::ScenarioFields& fields) {
  return {
      .request = scenario_request(fields), .context_tokens = fields.context_tokens, .batch_size = fields.batch_size};
}

ui::ScenarioFields fields_of(const ProjectScenario& scenario) {
  const ScenarioRequest& request = scenario.request;
  ui::ScenarioFields fields;
  fields.model = to_qt(request.model);
  fields.device = to_qt(request.device);
  fields.engine = to_qt(request.engine);
  fields.weights = to_qt(request.weights);
  fields.cache = to_qt(request.cache);
  fields.context_tokens = scenario.context_tokens;
  fields.batch_size = scenario.batch_size;
  fields.tensor_parallel = request.layout.tensor_parallel;
  fields.pipeline_parallel = request.layout.pipeline_parallel;
  if (const auto share = request.limits.memory_fraction)
    fields.memory_percent = static_cast<int>(std::lround(100.0 * *share));
  return fields;
}

ProjectController::ProjectController(OpenRuns& runs, ProjectParts parts, const std::filesystem::path& journals,
                                     QObject* parent)
    : QObject(parent), runs_(runs), parts_(std::move(parts)), journal_(journals), autosave_(new QTimer(this)) {
  autosave_->setSingleShot(true);
  autosave_->setInterval(kAutosaveMs);
  connect(autosave_, &QTimer::timeout, this, &ProjectController::writeJournal);
  connect(&runs_, &OpenRuns::changed, this, &ProjectController::noteChange);
  saved_ = snapshot();
}

void ProjectController::setNote(const QString& note) {
  note_ = note;
  noteChange();
}

Project ProjectController::snapshot() const {
  Project project;
  project.note = note_.toStdString();
  project.foreign = foreign_;
  project.baseline = runs_.baseline();
  project.shown = runs_.current();
  for (const OpenRun& run : runs_.runs())
    project.runs.push_back({run.file.toStdString(), run.name.toStdString(), run.note.toStdString()});
  for (const ProjectRun& run : missing_) {
    if (project.baseline < 0 && run.file == missing_baseline_) project.baseline = static_cast<int>(project.runs.size());
    project.runs.push_back(run);
  }
  for (const ui::ScenarioFields& pin : parts_.pins()) project.pins.push_back(scenario_of(pin));
  project.scenario = {scenario_of(parts_.scenario())};
  project.layout = parts_.layout();
  return project;
}

bool ProjectController::unsaved() const {
  const Project now = without_view(snapshot());
  if (now == without_view(saved_)) return false;
  return !file_.isEmpty() || worth_keeping(now);
}

void ProjectController::save(const QString& file) {
  const Project project = snapshot();
  write_project(project, file.toStdString());
  file_ = QFileInfo(file).absoluteFilePath();
  saved_ = project;
  journal_.clear();
  Q_EMIT changed();
}

void ProjectController::open(const QString& file, const std::function<void()>& then) {
  const OpenedProject opened = read_project(file.toStdString());
  for (const std::string& part : opened.skipped)
    Q_EMIT told(tr("%1: left out, because a newer version wrote it: %2").arg(file, ui::said(part)));
  apply(opened.project, [this, file = QFileInfo(file).absoluteFilePath(), then] {
    file_ = file;
    saved_ = snapshot();
    journal_.clear();
    Q_EMIT changed();
    then();
  });
}

void ProjectController::recover(const LeftBehind& left, const std::function<void()>& then) {
  apply(left.project, [this, left, then] {
    file_ = to_qt(left.file.string());
    saved_ = {};
    writeJournal();
    forget(left);
    Q_EMIT changed();
    then();
  });
}

void ProjectController::apply(const Project& project, const std::function<void()>& then) {
  QStringList files;
  for (const ProjectRun& run : project.runs) files << to_qt(run.file.string());
  parts_.read_runs(files, [this, project, then](std::vector<ReadRun> runs) {
    take(project, std::move(runs));
    then();
  });
}

void ProjectController::take(const Project& project, std::vector<ReadRun> runs) {
  applying_ = true;
  note_ = to_qt(project.note);
  foreign_ = project.foreign;
  openRuns(project, std::move(runs));
  QList<ui::ScenarioFields> pins;
  for (const ProjectScenario& pin : project.pins) pins << fields_of(pin);
  parts_.set_pins(pins);
  if (!project.scenario.empty()) parts_.set_scenario(fields_of(project.scenario.front()));
  if (project.layout != ProjectLayout{}) parts_.set_layout(project.layout);
  applying_ = false;
}

void ProjectController::openRuns(const Project& project, std::vector<ReadRun> runs) {
  missing_.clear();
  missing_baseline_.clear();
  while (!runs_.runs().empty()) runs_.close(0);
  const auto is = [&](int place, const ProjectRun& run) {
    return place >= 0 && project.runs[static_cast<std::size_t>(place)].file == run.file;
  };
  int baseline = -1;
  int shown = -1;
  for (std::size_t i = 0; i < project.runs.size(); ++i) {
    const ProjectRun& run = project.runs[i];
    if (!parts_.add_run(std::move(runs[i]))) {
      missing_.push_back(run);
      if (is(project.baseline, run)) missing_baseline_ = run.file;
      continue;
    }
    const int place = runs_.current();
    if (!run.name.empty()) runs_.rename(place, to_qt(run.name));
    if (!run.note.empty()) runs_.setNote(place, to_qt(run.note));
    if (is(project.baseline, run)) baseline = place;
    if (is(project.shown, run)) shown = place;
  }
  runs_.setBaseline(baseline);
  runs_.setCurrent(shown);
}

void ProjectController::noteChange() {
  if (applying_) return;
  autosave_->start();
  Q_EMIT changed();
}

/// A journal that cannot be written is told of; work goes on.
void ProjectController::writeJournal() {
  try {
    if (unsaved())
      journal_.write(snapshot(), file_.toStdString());
    else
      journal_.clear();
  } catch (const Error& error) {
    Q_EMIT told(said_error(error));
  }
}

}  // namespace dachlast::gui
