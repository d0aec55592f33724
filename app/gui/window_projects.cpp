// Projects, settings and windows: what the main window does beside its pages.
#include <QApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QListWidget>
#include <QMessageBox>
#include <QPushButton>
#include <QStackedWidget>

#include "app/gui/help_dialog.h"
#include "app/gui/main_window.h"
#include "app/gui/measure_controller.h"
#include "app/gui/notice_bar.h"
#include "app/gui/plan_controller.h"
#include "app/gui/preferences.h"
#include "app/gui/project_controller.h"
#include "app/gui/report_controller.h"
#include "app/gui/run_presenter.h"
#include "app/gui/run_reader.h"
#include "app/gui/said_error.h"
#include "app/gui/scenario_pins.h"
#include "app/gui/settings.h"
#include "app/gui/settings_dialog.h"
#include "core/viewmodel/format.h"
#include "core/workbench/open_plan.h"
#include "ui/views/measure_view.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

const QString kExtension = QStringLiteral(".dachlast-project");

}  // namespace

QStringList MainWindow::pageIds() {
  return {QStringLiteral("overview"), QStringLiteral("roofline"), QStringLiteral("timeline"),
          QStringLiteral("memory"),   QStringLiteral("kv-cache"), QStringLiteral("plan"),
          QStringLiteral("compare"),  QStringLiteral("report"),   QStringLiteral("measure")};
}

// -------- projects

void MainWindow::makeProject() {
  ProjectParts parts;
  parts.pins = [this] { return pins_->pins(); };
  parts.scenario = [this] { return planned_; };
  parts.layout = [this] {
    return ProjectLayout{pageIds().value(pages_->currentRow()).toStdString(), docks_->save().toBase64().toStdString()};
  };
  parts.set_pins = [this](const QList<ui::ScenarioFields>& pins) { pins_->restore(pins); };
  parts.set_scenario = [this](const ui::ScenarioFields& fields) {
    form_->setFields(fields);
    planEdited(fields);
  };
  parts.set_layout = [this](const ProjectLayout& layout) {
    docks_->restore(QByteArray::fromBase64(QByteArray::fromStdString(layout.docks)));
    if (const auto row = pageIds().indexOf(QString::fromStdString(layout.page)); row >= 0)
      pages_->setCurrentRow(static_cast<int>(row));
  };
  parts.read_runs = [this](const QStringList& files, const RunReader::Then& then) { reader_->read(files, then); };
  parts.add_run = [this](ReadRun read) { return addRun(std::move(read)); };
  project_ = new ProjectController(runs_, std::move(parts), default_journal_folder(), this);
  connect(project_, &ProjectController::changed, this, &MainWindow::showTitle);
  connect(project_, &ProjectController::told, this, &MainWindow::tell);
  connect(&edits_, &QUndoStack::indexChanged, project_, &ProjectController::noteChange);
  showTitle();
}

void MainWindow::showTitle() {
  QString subject = QFileInfo(project_->file()).completeBaseName();
  if (subject.isEmpty() && runs_.shown() != nullptr) subject = runs_.shown()->name;
  setWindowTitle(subject.isEmpty() ? tr("Dachlast[*]") : tr("%1[*] – Dachlast").arg(subject));
  setWindowModified(project_->unsaved());
}

void MainWindow::openProject(const QString& file) {
  if (!mayLeaveProject()) return;
  try {
    project_->open(file, [this, file] {
      edits_.clear();
      addRecent(file);
      tell(tr("Opened %1").arg(file));
    });
  } catch (const Error& error) {
    presenter_->showError(said_error(error));
    tell(said_error(error));
  }
}

/// A report holds a run or a plan; false where it is neither, for others to try.
bool MainWindow::openReport(const QString& file) {
  try {
    if (const auto plan = open_plan(file.toStdString())) {
      const ui::ScenarioFields fields = fields_of({plan->scenario.request, plan->context_tokens, plan->batch_size});
      form_->setFields(fields);
      planEdited(fields);
      addRecent(file);
      showPage(tr("Memory"));
      return true;
    }
  } catch (const Error& error) {
    tell(said_error(error));
    return true;
  }
  openRun(file.toStdString());
  return true;
}

bool MainWindow::saveProject() {
  if (project_->file().isEmpty()) return saveProjectAs();
  try {
    project_->save(project_->file());
    tell(tr("Written to %1").arg(project_->file()));
    return true;
  } catch (const Error& error) {
    tell(said_error(error));
    notice_->say(said_error(error), {{tr("Save elsewhere…"), [this] { saveProjectAs(); }}, {tr("Dismiss"), [] {}}});
    return false;
  }
}

bool MainWindow::saveProjectAs() {
  QString file =
      QFileDialog::getSaveFileName(this, tr("Save Project"), project_->file(), tr("Projects (*.dachlast-project)"));
  if (file.isEmpty()) return false;
  if (!file.endsWith(kExtension)) file += kExtension;
  try {
    project_->save(file);
  } catch (const Error& error) {
    tell(said_error(error));
    notice_->say(said_error(error), {{tr("Save elsewhere…"), [this] { saveProjectAs(); }}, {tr("Dismiss"), [] {}}});
    return false;
  }
  addRecent(project_->file());
  tell(tr("Written to %1").arg(project_->file()));
  return true;
}

/// Asks once where something would be lost.
bool MainWindow::mayLeaveProject() {
  if (!project_->unsaved()) return true;
  QMessageBox question(QMessageBox::Question, tr("Project"), tr("The project has changes that are not saved."),
                       QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, this);
  switch (question.exec()) {
    case QMessageBox::Save: return saveProject();
    case QMessageBox::Discard: return true;
    default: return false;
  }
}

void MainWindow::editProjectNote() {
  bool accepted = false;
  const QString before = project_->note();
  const QString note =
      QInputDialog::getMultiLineText(this, tr("Project Note"), tr("What this project is about"), before, &accepted);
  if (accepted && note != before) project_->setNote(note);
}

void MainWindow::offerRecovery() {
  const std::vector<LeftBehind> found = left_behind(default_journal_folder());
  if (found.empty()) return;
  const LeftBehind& left = found.front();
  const QString name =
      left.file.empty() ? tr("a project that was never saved") : QString::fromStdString(left.file.string());
  notice_->say(tr("The program ended unexpectedly. Kept from %1: %2.")
                   .arg(ui::said(viewmodel::format_date(left.written_at)), name),
               {{tr("Restore"),
                 [this, left] {
                   if (!mayLeaveProject()) return;
                   project_->recover(left, [this] {
                     edits_.clear();
                     offerRecovery();
                   });
                 }},
                {tr("Drop"),
                 [this, left] {
                   forget(left);
                   offerRecovery();
                 }},
                {tr("Later"), [] {}}});
}

// -------- windows, settings, help

bool MainWindow::mayStopMeasuring() {
  if (!measurer_->running()) return true;
  QMessageBox question(QMessageBox::Question, tr("Measuring"), tr("A measurement is running."), QMessageBox::NoButton,
                       this);
  question.addButton(tr("Keep measuring"), QMessageBox::RejectRole);
  const QAbstractButton* stop = question.addButton(tr("Stop and save"), QMessageBox::AcceptRole);
  question.exec();
  return question.clickedButton() == stop;
}

void MainWindow::newWindow() {
  auto* window = new MainWindow;
  window->setAttribute(Qt::WA_DeleteOnClose);
  window->show();
}

void MainWindow::applyPreferences(const Preferences& preferences) {
  commands_.apply(preferences.keys);
  Judging judging{.threshold = {}, .roofs = preferences.roofs};
  if (preferences.threshold_percent > 0) judging.threshold = preferences.threshold_percent / 100.0;
  runs_.setJudging(judging);
}

void MainWindow::showAgain() {
  presenter_->showAgain();
  pins_->showAgain();
  planner_->planAgain();  // what follows a plan follows
  measurer_->checkAgain();
  reporter_->refresh();
}

void MainWindow::openSettings() {
  SettingsDialog dialog(read_preferences(settings()), commands_.list(), this);
  if (dialog.exec() != QDialog::Accepted) return;
  const Preferences chosen = dialog.preferences();
  QSettings stored = settings();
  write_preferences(stored, chosen);
  apply_theme(chosen.theme);
  const bool other_units = chosen.units != ui::capacity_units();
  ui::write_memory_in(chosen.units);
  for (QWidget* widget : QApplication::topLevelWidgets())
    if (auto* window = qobject_cast<MainWindow*>(widget)) {
      window->applyPreferences(chosen);
      if (other_units) window->showAgain();
    }
}

void MainWindow::showHelp() {
  auto* help = new HelpDialog(commands_.list(), this);
  help->show();
}

void MainWindow::findOperations() {
  bool accepted = false;
  const QString text =
      QInputDialog::getText(this, tr("Find Operations"), tr("The name contains"), QLineEdit::Normal, {}, &accepted);
  if (accepted) presenter_->filterText(text.trimmed());
}

}  // namespace dachlast::gui
