#include "app/gui/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDateTime>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QFileDialog>
#include <QListWidget>
#include <QMenuBar>
#include <QMessageBox>
#include <QMimeData>
#include <QPushButton>
#include <QSaveFile>
#include <QScrollArea>
#include <QSettings>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QStatusBar>
#include <QToolBar>

#include "app/gui/measure_controller.h"
#include "app/gui/plan_controller.h"
#include "core/base/error.h"
#include "core/viewmodel/phase_bars.h"
#include "core/viewmodel/roofline_plot.h"
#include "core/viewmodel/run_view.h"
#include "core/workbench/workbench.h"
#include "reports/html.h"
#include "reports/svg.h"
#include "ui/paint/figure_painter.h"
#include "ui/views/measure_view.h"
#include "ui/views/overview_view.h"
#include "ui/views/plan_view.h"
#include "ui/views/roofline_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {
namespace {

using ui::to_qt;

// Raised whenever docks or toolbars change: an older stored layout is then left alone.
constexpr int kLayoutVersion = 1;
constexpr int kMostRecent = 10;
constexpr QSize kFirstSize{1280, 800};
constexpr QSize kLeastSize{1024, 640};

QSettings settings() {
  return QSettings(QSettings::IniFormat, QSettings::UserScope, QStringLiteral("dachlast"),
                   QStringLiteral("dachlast-gui"));
}

/// Where runs measured in the window go.
QString run_folder() {
  return QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation) + QStringLiteral("/dachlast/runs");
}

ui::ScenarioFields first_scenario() {
  ui::ScenarioFields fields;
  fields.model = QStringLiteral("llama-3.1-8b");
  fields.device = QStringLiteral("h100-sxm5-80gb");
  fields.engine = QStringLiteral("vllm");
  return fields;
}

}  // namespace

MainWindow::MainWindow(QWidget* parent)
    : QMainWindow(parent),
      pages_(new QListWidget),
      stack_(new QStackedWidget),
      measure_(new ui::MeasureView(scenario_choices().models, {QStringLiteral("f32"), QStringLiteral("bf16")})),
      overview_(new ui::OverviewView),
      roofline_(new ui::RooflineView),
      plan_(new ui::PlanView),
      form_(new ui::ScenarioForm(scenario_choices())),
      planner_(new PlanController(*form_, *plan_, this)),
      measurer_(new MeasureController(*measure_, run_folder(), this)) {
  setWindowTitle(tr("Dachlast"));
  setMinimumSize(kLeastSize);
  resize(kFirstSize);
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  setCentralWidget(stack_);
  addPage(tr("Overview"), overview_);
  addPage(tr("Roofline"), roofline_);
  addPage(tr("Memory"), plan_);
  addPage(tr("Measure"), measure_);
  makeScenarioDock();
  makeMenus();
  connect(pages_, &QListWidget::currentRowChanged, stack_, &QStackedWidget::setCurrentIndex);
  connect(overview_, &ui::Page::emptyButtonClicked, this, &MainWindow::chooseFile);
  connect(roofline_, &ui::Page::emptyButtonClicked, this, &MainWindow::chooseFile);
  connect(overview_, &ui::OverviewView::saveRequested, this, &MainWindow::saveFigure);
  connect(roofline_, &ui::RooflineView::saveRequested, this, &MainWindow::saveFigure);
  connect(plan_, &ui::PlanView::saveRequested, this, &MainWindow::saveFigure);
  connect(stack_, &QStackedWidget::currentChanged, this, [this] {
    if (stack_->currentWidget() == measure_) measurer_->prepare();
  });
  connect(measurer_, &MeasureController::finished, this, &MainWindow::open);
  measure_->setFields({.model = QStringLiteral("gpt2"), .contexts = {}, .batches = {}, .weights = {}, .cache = {}});
  form_->setFields(first_scenario());
  planner_->plan(form_->fields());
  pages_->setCurrentRow(2);
  default_layout_ = saveState(kLayoutVersion);
  restoreGeometry(settings().value(QStringLiteral("geometry")).toByteArray());
  restoreState(settings().value(QStringLiteral("layout")).toByteArray(), kLayoutVersion);
}

MainWindow::~MainWindow() = default;

void MainWindow::addPage(const QString& title, QWidget* page) {
  stack_->addWidget(page);
  pages_->addItem(title);
}

void MainWindow::makeScenarioDock() {
  auto* names = new QDockWidget(tr("Pages"), this);
  names->setObjectName(QStringLiteral("pages"));
  pages_->setFrameShape(QFrame::NoFrame);
  pages_->setAccessibleName(tr("Pages"));
  pages_->setMaximumHeight(pages_->sizeHintForRow(0) * 10);
  names->setWidget(pages_);
  names->setFeatures(QDockWidget::DockWidgetMovable);
  addDockWidget(Qt::LeftDockWidgetArea, names);

  scenario_dock_ = new QDockWidget(tr("Scenario"), this);
  scenario_dock_->setObjectName(QStringLiteral("scenario"));
  auto* scroll = new QScrollArea;
  scroll->setWidgetResizable(true);
  scroll->setFrameShape(QFrame::NoFrame);
  scroll->setWidget(form_);
  scenario_dock_->setWidget(scroll);
  addDockWidget(Qt::LeftDockWidgetArea, scenario_dock_);
}

void MainWindow::makeMenus() {
  QMenu* file = menuBar()->addMenu(tr("&File"));
  file->addAction(tr("&Open…"), QKeySequence::Open, this, &MainWindow::chooseFile);
  recent_ = file->addMenu(tr("Open &Recent"));
  connect(recent_, &QMenu::aboutToShow, this, &MainWindow::fillRecent);
  export_ = file->addAction(tr("&Export Report…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &MainWindow::exportReport);
  export_->setEnabled(false);
  file->addSeparator();
  file->addAction(tr("&Measure…"), QKeySequence(Qt::CTRL | Qt::Key_R), this, [this] { showPage(tr("Measure")); });
  file->addAction(tr("&Repeat Measurement"), QKeySequence(Qt::Key_F5), measurer_, &MeasureController::repeat);
  file->addSeparator();
  file->addAction(tr("&Quit"), QKeySequence::Quit, this, &QWidget::close);

  view_menu_ = menuBar()->addMenu(tr("&View"));
  for (int i = 0; i < pages_->count(); ++i)
    view_menu_->addAction(pages_->item(i)->text(), QKeySequence(Qt::CTRL | static_cast<Qt::Key>(Qt::Key_1 + i)), this,
                          [this, i] { pages_->setCurrentRow(i); });
  view_menu_->addSeparator();
  view_menu_->addAction(scenario_dock_->toggleViewAction());
  view_menu_->addAction(tr("Restore &Default Layout"), this, &MainWindow::restoreDefaultLayout);
}

QStringList MainWindow::pageTitles() const {
  QStringList titles;
  for (int i = 0; i < pages_->count(); ++i) titles << pages_->item(i)->text();
  return titles;
}

void MainWindow::showPage(const QString& title) {
  const qsizetype row = pageTitles().indexOf(title);
  if (row >= 0) pages_->setCurrentRow(static_cast<int>(row));
}

void MainWindow::chooseFile() {
  const QString path = QFileDialog::getOpenFileName(
      this, tr("Open"), {}, tr("Runs and models (*.dachlast *.json *.safetensors *.gguf);;All files (*)"));
  if (!path.isEmpty()) open(path);
}

void MainWindow::open(const QString& path) {
  if (path.endsWith(QStringLiteral(".dachlast"))) return openRun(path.toStdString());
  ui::ScenarioFields fields = form_->fields();
  fields.model = path;
  form_->setFields(fields);
  planner_->plan(fields);
  addRecent(path);
  showPage(tr("Memory"));
}

void MainWindow::openRun(const std::filesystem::path& file) {
  try {
    OpenedRun opened = open_run(file);
    run_ = std::move(opened.run);
    showRun();
    addRecent(to_qt(file.string()));
    if (!opened.skipped.empty())
      statusBar()->showMessage(
          tr("Parts of a newer version were left out: %n", nullptr, static_cast<int>(opened.skipped.size())));
  } catch (const Error& error) {
    run_.reset();
    overview_->showError(to_qt(error.what()));
    roofline_->showError(to_qt(error.what()));
  }
  export_->setEnabled(run_.has_value());
  showPage(tr("Overview"));
}

void MainWindow::showRun() {
  const viewmodel::RunView view = viewmodel::run_view(*run_);
  overview_->setRun(view, [run = *run_](figure::Size size) { return viewmodel::phase_bars(run, size.width, "bars"); });
  roofline_->setPlot(viewmodel::roofline_plot(*run_), overview_->answer());
  setWindowTitle(tr("%1 – Dachlast").arg(to_qt(view.title)));
}

void MainWindow::exportReport() {
  if (!run_) return;
  const QString path = QFileDialog::getSaveFileName(this, tr("Export Report"), QStringLiteral("dachlast-report.html"),
                                                    tr("HTML (*.html)"));
  if (path.isEmpty()) return;
  reports::HtmlOptions options;
  options.timestamp = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
  const std::string html = reports::run_html(*run_, options, memory_of(*run_));
  QSaveFile file(path);
  const bool written = file.open(QIODevice::WriteOnly) &&
                       file.write(html.data(), static_cast<qint64>(html.size())) == static_cast<qint64>(html.size()) &&
                       file.commit();
  statusBar()->showMessage(written ? tr("Report written to %1").arg(path)
                                   : tr("%1 was not written: %2").arg(path, file.errorString()));
}

void MainWindow::saveFigure(const figure::Figure& figure, const QString& kind) {
  const QString path = QFileDialog::getSaveFileName(this, tr("Save Figure"), to_qt(figure.id) + u'.' + kind,
                                                    kind.toUpper() + QStringLiteral(" (*.") + kind + u')');
  if (path.isEmpty()) return;
  QSaveFile file(path);
  bool written = file.open(QIODevice::WriteOnly);
  if (kind == QStringLiteral("png")) {
    constexpr double kFileScale = 2.0;
    written = written && ui::image_of(figure, ui::theme_of(palette()), kFileScale).save(&file, "PNG");
  } else {
    const std::string text = reports::svg(figure);
    written = written && file.write(text.data(), static_cast<qint64>(text.size())) == static_cast<qint64>(text.size());
  }
  written = written && file.commit();
  statusBar()->showMessage(written ? tr("Figure written to %1").arg(path)
                                   : tr("%1 was not written: %2").arg(path, file.errorString()));
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

void MainWindow::restoreDefaultLayout() {
  restoreState(default_layout_, kLayoutVersion);
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  for (const QUrl& url : event->mimeData()->urls())
    if (url.isLocalFile()) open(url.toLocalFile());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (measurer_->running()) {
    QMessageBox question(QMessageBox::Question, tr("Measuring"), tr("A measurement is running."), QMessageBox::NoButton,
                         this);
    question.addButton(tr("Keep measuring"), QMessageBox::RejectRole);
    const QAbstractButton* stop = question.addButton(tr("Stop and save"), QMessageBox::AcceptRole);
    question.exec();
    if (question.clickedButton() != stop) return event->ignore();
    measurer_->cancel();
  }
  QSettings stored = settings();
  stored.setValue(QStringLiteral("geometry"), saveGeometry());
  stored.setValue(QStringLiteral("layout"), saveState(kLayoutVersion));
  QMainWindow::closeEvent(event);
}

}  // namespace dachlast::gui
