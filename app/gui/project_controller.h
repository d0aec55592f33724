#pragma once

#include <QObject>
#include <QStringList>
#include <functional>

#include "app/gui/run_reader.h"
#include "core/workbench/project_journal.h"
#include "ui/widgets/scenario_form.h"

class QTimer;

namespace dachlast::gui {

class OpenRuns;

/// The scenario form's fields as a project keeps them, and back.
ProjectScenario scenario_of(const ui::ScenarioFields& fields);
ui::ScenarioFields fields_of(const ProjectScenario& scenario);

/// What a window holds besides its runs, and how to put it back.
struct ProjectParts {
  std::function<QList<ui::ScenarioFields>()> pins;
  std::function<ui::ScenarioFields()> scenario;
  std::function<ProjectLayout()> layout;
  std::function<void(const QList<ui::ScenarioFields>&)> set_pins;
  std::function<void(const ui::ScenarioFields&)> set_scenario;
  std::function<void(const ProjectLayout&)> set_layout;
  std::function<void(const QStringList& files, const RunReader::Then& then)> read_runs;
  std::function<bool(ReadRun)> add_run;  // false where it could not be read
};

/// The project a window works on: where it lies, whether it is saved, and its journal, which survives a crash. Whoever edits the
/// window calls `noteChange`.
class ProjectController : public QObject {
  Q_OBJECT

 public:
  ProjectController(OpenRuns& runs, ProjectParts parts, const std::filesystem::path& journals,
                    QObject* parent = nullptr);

  /// Empty where the project was never saved.
  const QString& file() const { return file_; }
  const QString& note() const { return note_; }
  void setNote(const QString& note);

  /// Everything the window holds; runs whose files are missing stay listed, so that a disk that is unplugged loses nothing.
  Project snapshot() const;
  /// Changes that saving would keep. A window that never was a project counts only what cannot be opened again: pins, notes,
  /// names, a baseline.
  bool unsaved() const;

  /// Errors   throws `Error` where the file cannot be written; the project stays unsaved.
  void save(const QString& file);
  /// Takes the place of what the window holds, as soon as its runs are read; then calls `then`.
  /// Errors   throws `Error` where the file is no project; the window stays as it was.
  void open(const QString& file, const std::function<void()>& then);
  /// Takes over what a crash left behind; it counts as unsaved.
  void recover(const LeftBehind& left, const std::function<void()>& then);
  void noteChange();

 Q_SIGNALS:
  /// The file, or whether it is saved, changed.
  void changed();
  /// Something to tell the reader.
  void told(const QString& text);

 private:
  /// Once the runs are read, in one go; then calls `then`.
  void apply(const Project& project, const std::function<void()>& then);
  void take(const Project& project, std::vector<ReadRun> runs);
  void openRuns(const Project& project, std::vector<ReadRun> runs);
  void writeJournal();

  OpenRuns& runs_;
  ProjectParts parts_;
  ProjectJournal journal_;
  QTimer* autosave_;
  QString file_;
  QString note_;
  Project saved_;
  std::vector<ProjectRun> missing_;
  std::filesystem::path missing_baseline_;
  std::string foreign_;
  bool applying_ = false;
};

}  // namespace dachlast::gui
