// Menus of the main window and what their entries do.
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QKeyEvent>
#include <QListWidget>
#include <QMenuBar>
#include <QPrintDialog>
#include <QPrinter>
#include <QStackedWidget>

#include "app/gui/edit.h"
#include "app/gui/main_window.h"
#include "app/gui/measure_controller.h"
#include "app/gui/plan_command_line.h"
#include "app/gui/report_controller.h"
#include "app/gui/run_presenter.h"
#include "app/gui/saving.h"
#include "app/gui/settings.h"
#include "app/gui/trace_export.h"
#include "ui/views/measure_view.h"
#include "ui/views/plan_view.h"
#include "ui/views/report_view.h"
#include "ui/widgets/figure_view.h"

namespace dachlast::gui {
namespace {

constexpr int kMostRecent = 10;

}  // namespace

void MainWindow::makeMenus() {
  makeFileMenu();
  makeEditMenu();
  makeRunMenu();
  makeViewMenu();
  makeHelpMenu();
}

void MainWindow::makeFileMenu() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  command("new-window", file->addAction(tr("New &Window"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), this,
                                        &MainWindow::newWindow));
  command("open", file->addAction(tr("&Open…"), QKeySequence::Open, this, &MainWindow::chooseFile));
  recent_ = file->addMenu(tr("Open &Recent"));
  connect(recent_, &QMenu::aboutToShow, this, &MainWindow::fillRecent);
  command("close-run", file->addAction(tr("&Close Run"), QKeySequence(Qt::CTRL | Qt::Key_W), this,
                                       [this] { runs_.close(runs_.current()); }));
  file->addSeparator();
  command("save", file->addAction(tr("&Save Project"), QKeySequence::Save, this, &MainWindow::saveProject));
  command("save-as", file->addAction(tr("Save Project &As…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S), this,
                                     &MainWindow::saveProjectAs));
  command("project-note", file->addAction(tr("Project &Note…"), this, &MainWindow::editProjectNote));
  file->addSeparator();
  command("export",
          file->addAction(tr("&Export Report…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &MainWindow::exportReport));
  command("print", file->addAction(tr("&Print Report…"), QKeySequence::Print, this, &MainWindow::printReport));
  file->addSeparator();
  command("settings",
          file->addAction(tr("Se&ttings…"), QKeySequence(Qt::CTRL | Qt::Key_Comma), this, &MainWindow::openSettings));
  command("quit", file->addAction(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &QWidget::close));
}

void MainWindow::makeEditMenu() {
  QMenu* edit = menuBar()->addMenu(tr("&Edit"));
  QAction* undo = command("undo", edit->addAction(tr("&Undo"), QKeySequence::Undo, &edits_, &QUndoStack::undo));
  undo->setEnabled(false);
  connect(&edits_, &QUndoStack::canUndoChanged, undo, &QAction::setEnabled);
  connect(&edits_, &QUndoStack::undoTextChanged, undo,
          [undo](const QString& what) { undo->setText(what.isEmpty() ? tr("&Undo") : tr("&Undo: %1").arg(what)); });
  QAction* redo = command(
      "redo", edit->addAction(tr("&Redo"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z), &edits_, &QUndoStack::redo));
  redo->setEnabled(false);
  connect(&edits_, &QUndoStack::canRedoChanged, redo, &QAction::setEnabled);
  connect(&edits_, &QUndoStack::redoTextChanged, redo,
          [redo](const QString& what) { redo->setText(what.isEmpty() ? tr("&Redo") : tr("&Redo: %1").arg(what)); });
  edit->addSeparator();
  command("find", edit->addAction(tr("&Find Operations…"), QKeySequence::Find, this, &MainWindow::findOperations));
  command("copy-command", edit->addAction(tr("Copy as &Command"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C), this,
                                          &MainWindow::copyAsCommand));
}

void MainWindow::makeRunMenu() {
  QMenu* run = menuBar()->addMenu(tr("&Run"));
  command("measure", run->addAction(tr("&Measure…"), QKeySequence(Qt::CTRL | Qt::Key_R), this,
                                    [this] { showPage(tr("Measure")); }));
  command("repeat",
          run->addAction(tr("&Repeat Measurement"), QKeySequence(Qt::Key_F5), measurer_, &MeasureController::repeat));
  command("baseline", run->addAction(tr("Use as &Baseline"), QKeySequence(Qt::CTRL | Qt::Key_B), this, [this] {
    const int before = runs_.baseline();
    const int after = runs_.current();
    if (after < 0 || after == before) return;
    edits_.push(new Edit(
        tr("Set baseline"), [this, after] { runs_.setBaseline(after); },
        [this, before] { runs_.setBaseline(before); }));
  }));
  run->addSeparator();
  QMenu* filter = run->addMenu(tr("&Filter"));
  filter->addAction(tr("&Prefill only"), this, [this] { presenter_->filterPhase(Phase::kPrefill); });
  filter->addAction(tr("&Decode only"), this, [this] { presenter_->filterPhase(Phase::kDecode); });
}

void MainWindow::makeViewMenu() {
  QMenu* view = menuBar()->addMenu(tr("&View"));
  for (int i = 0; i < pages_->count(); ++i)
    commands_.add(QStringLiteral("page-") + pageIds().value(i),
                  view->addAction(pages_->item(i)->text(), QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)),
                                  this, [this, i] { pages_->setCurrentRow(i); }));
  view->addSeparator();
  for (QDockWidget* dock : docks_->closable()) view->addAction(dock->toggleViewAction());
  view->addSeparator();
  // Of the window too: the menu bar is hidden while a chart stands alone.
  addAction(command("maximise", view->addAction(tr("&Maximise Chart"), QKeySequence(Qt::Key_F11), this,
                                                &MainWindow::toggleMaximised)));
  view->addAction(tr("Restore &Default Layout"), this, [this] {
    maximised_.restore();
    docks_->restoreDefault();
  });
}

void MainWindow::makeHelpMenu() {
  QMenu* help = menuBar()->addMenu(tr("&Help"));
  command("help", help->addAction(tr("&Keys and Gestures"), QKeySequence::HelpContents, this, &MainWindow::showHelp));
}

void MainWindow::chooseFile() {
  const QStringList paths =
      QFileDialog::getOpenFileNames(this, tr("Open"), {},
                                    tr("Runs, projects, reports, models and recordings (*.dachlast *.dachlast-project "
                                       "*.html *.json *.json.gz *.sqlite "
                                       "*.safetensors *.gguf);;All "
                                       "files (*)"));
  for (const QString& path : paths) open(path);
}

void MainWindow::exportReport() {
  exportReportAs(report_->fields());
}

void MainWindow::exportReportAs(const ui::ReportFields& fields) {
  const QString path = QFileDialog::getSaveFileName(this, tr("Export Report"), QStringLiteral("dachlast-report.html"),
                                                    tr("HTML (*.html)") + QStringLiteral(";;") + tr("PDF (*.pdf)"));
  if (path.isEmpty()) return;
  if (path.endsWith(QStringLiteral(".pdf"), Qt::CaseInsensitive)) tell(tr("Writing %1…").arg(path));
  reporter_->exportTo(path, fields);
}

void MainWindow::printReport() {
  QPrinter printer;
  QPrintDialog dialog(&printer, this);
  dialog.setOptions(QAbstractPrintDialog::PrintToFile | QAbstractPrintDialog::PrintPageRange);
  if (dialog.exec() != QDialog::Accepted) return;
  tell(tr("Printing the report…"));
  reporter_->print(choice_of(printer), report_->fields());
}

void MainWindow::exportTrace() {
  const QString file = presenter_->timelineFile();
  if (file.isEmpty()) return;
  const QString path = QFileDialog::getSaveFileName(this, tr("Save as Chrome Trace"),
                                                    QFileInfo(file).completeBaseName() + QStringLiteral("-trace.json"),
                                                    tr("Chrome trace (*.json)"));
  if (!path.isEmpty()) export_trace(this, file, path, [this](const QString& text) { tell(text); });
}

void MainWindow::addRecent(const QString& path) {
  QSettings stored = settings();
  QStringList list = stored.value(QStringLiteral("recent")).toStringList();
  list.removeAll(path);
  list.prepend(path);
  stored.setValue(QStringLiteral("recent"), list.mid(0, kMostRecent));
}

void MainWindow::fillRecent() {
  recent_->clear();
  for (const QString& path : settings().value(QStringLiteral("recent")).toStringList())
    recent_->addAction(path, this, [this, path] { open(path); });
  recent_->setEnabled(!recent_->isEmpty());
}

/// The chart with the focus, else the largest one of the page.
void MainWindow::toggleMaximised() {
  if (maximised_.active()) return maximised_.restore();
  auto* chart = qobject_cast<ui::FigureView*>(QApplication::focusWidget());
  if (chart == nullptr)
    for (ui::FigureView* other : stack_->currentWidget()->findChildren<ui::FigureView*>())
      if (other->isVisible() &&
          (chart == nullptr || other->width() * other->height() > chart->width() * chart->height()))
        chart = other;
  if (chart != nullptr) maximised_.show(chart);
}

void MainWindow::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape && maximised_.active()) return maximised_.restore();
  QMainWindow::keyPressEvent(event);
}

void MainWindow::copyAsCommand() {
  const OpenRun* shown = runs_.shown();
  const QWidget* page = stack_->currentWidget();
  QString line = plan_command_line(form_->fields());
  if (page == measure_)
    line = run_command_line(measure_->fields());
  else if (page != memory_ && shown != nullptr)
    line = QString::fromStdString(shown->run->command);
  QApplication::clipboard()->setText(line);
  tell(tr("Copied: %1").arg(line));
}

}  // namespace dachlast::gui
