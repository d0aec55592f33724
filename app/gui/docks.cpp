#include "app/gui/docks.h"

#include <QCoreApplication>
#include <QListWidget>
#include <QMainWindow>
#include <QPlainTextEdit>
#include <QScrollArea>
#include <QScrollBar>
#include <QTime>

#include "ui/panels/inspector_panel.h"
#include "ui/panels/jobs_panel.h"
#include "ui/panels/runs_panel.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {
namespace {

// Raised whenever docks or toolbars change: an older stored layout is then left alone.
constexpr int kLayoutVersion = 3;
constexpr int kMostLogLines = 5000;
constexpr int kLeftWidth = 232;
constexpr int kRightWidth = 272;

/// Gives the words of this file their context in translations.
struct DockWords {
  Q_DECLARE_TR_FUNCTIONS(Docks)
};

QWidget* scrolled(QWidget* content) {
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setWidget(content);
  // Fields that are cut at the right nobody can use: the dock is as wide as they are, and its scroll bar.
  scroll->setMinimumWidth(content->minimumSizeHint().width() + scroll->verticalScrollBar()->sizeHint().width());
  return scroll;
}

}  // namespace

Docks::Docks(QMainWindow& window, QListWidget* pages, ui::ScenarioForm* form)
    : window_(window),
      inspector_(new ui::InspectorPanel),
      runs_(new ui::RunsPanel),
      jobs_(new ui::JobsPanel),
      operations_(new ui::DataTable),
      log_(new QPlainTextEdit) {
  log_->setReadOnly(true);
  log_->setMaximumBlockCount(kMostLogLines);
  log_->setAccessibleName(DockWords::tr("Log"));
  auto* names = add(DockWords::tr("Pages"), QStringLiteral("pages"), pages, Qt::LeftDockWidgetArea);
  names->setFeatures(QDockWidget::DockWidgetMovable);
  closable_.removeAll(names);
  add(DockWords::tr("Scenario"), QStringLiteral("scenario"), scrolled(form), Qt::LeftDockWidgetArea);
  add(DockWords::tr("Inspector"), QStringLiteral("inspector"), inspector_, Qt::RightDockWidgetArea);
  auto* first = add(DockWords::tr("Operations"), QStringLiteral("operations"), operations_, Qt::BottomDockWidgetArea);
  auto* runs = add(DockWords::tr("Runs"), QStringLiteral("runs"), runs_, Qt::BottomDockWidgetArea);
  auto* jobs = add(DockWords::tr("Jobs"), QStringLiteral("jobs"), jobs_, Qt::BottomDockWidgetArea);
  auto* log = add(DockWords::tr("Log"), QStringLiteral("log"), log_, Qt::BottomDockWidgetArea);
  for (QDockWidget* dock : {runs, jobs, log}) window_.tabifyDockWidget(first, dock);
  for (QDockWidget* dock : {first, runs, jobs, log}) dock->hide();
  window_.setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
  window_.setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
  window_.resizeDocks({names, closable_.at(1)}, {kLeftWidth, kRightWidth}, Qt::Horizontal);
  default_layout_ = save();
}

QDockWidget* Docks::add(const QString& title, const QString& id, QWidget* content, Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(title, &window_);
  dock->setObjectName(id);
  dock->setWidget(content);
  window_.addDockWidget(area, dock);
  closable_ << dock;
  return dock;
}

void Docks::log(const QString& line) {
  log_->appendPlainText(QStringLiteral("%1  %2").arg(QTime::currentTime().toString(Qt::ISODate), line));
}

void Docks::raise(QWidget& content) {
  for (QDockWidget* dock : closable_)
    if (dock->widget() == &content) {
      dock->show();
      dock->raise();
    }
}

QByteArray Docks::save() const {
  return window_.saveState(kLayoutVersion);
}

void Docks::restore(const QByteArray& layout) {
  window_.restoreState(layout, kLayoutVersion);
}

void Docks::restoreDefault() {
  restore(default_layout_);
}

}  // namespace dachlast::gui
