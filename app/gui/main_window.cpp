#include "app/gui/main_window.h"

#include <QApplication>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QFileInfo>
#include <QListWidget>
#include <QMimeData>
#include <QProgressBar>
#include <QStackedWidget>
#include <QStandardPaths>
#include <QStatusBar>
#include <QVBoxLayout>

#include "app/gui/edit.h"
#include "app/gui/measure_controller.h"
#include "app/gui/notice_bar.h"
#include "app/gui/notify.h"
#include "app/gui/plan_controller.h"
#include "app/gui/preferences.h"
#include "app/gui/project_controller.h"
#include "app/gui/recommend_controller.h"
#include "app/gui/report_controller.h"
#include "app/gui/run_presenter.h"
#include "app/gui/run_reader.h"
#include "app/gui/said_error.h"
#include "app/gui/saving.h"
#include "app/gui/scenario_pins.h"
#include "app/gui/settings.h"
#include "core/base/error.h"
#include "core/viewmodel/chart_sheet.h"
#include "core/workbench/recording.h"
#include "core/workbench/workbench.h"
#include "ui/paint/figure_painter.h"
#include "ui/panels/inspector_panel.h"
#include "ui/panels/jobs_panel.h"
#include "ui/views/compare_view.h"
#include "ui/views/kv_cache_page.h"
#include "ui/views/measure_view.h"
#include "ui/views/overview_view.h"
#include "ui/views/plan_view.h"
#include "ui/views/recommend_view.h"
#include "ui/views/report_view.h"
#include "ui/views/roofline_view.h"
#include "ui/views/scenarios_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/chip_bar.h"
#include "ui/widgets/data_table.h"
#include "ui/words.h"

namespace dachlast::gui {
namespace {

using ui::to_qt;

constexpr QSize kFirstSize{1280, 800};
constexpr QSize kLeastSize{1024, 640};
constexpr int kProgressWidth = 180;
constexpr int kPagePadding = 5;  // a name is a target for the pointer

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
      chips_(new ui::ChipBar),
      measure_(new ui::MeasureView(scenario_choices().models, {QStringLiteral("f32"), QStringLiteral("bf16")})),
      overview_(new ui::OverviewView),
      roofline_(new ui::RooflineView),
      timeline_(new ui::TimelineView),
      memory_(new ui::PlanView),
      kv_cache_(new ui::KvCachePage),
      scenarios_(new ui::ScenariosView),
      recommend_(new ui::RecommendView(scenarios_)),
      compare_(new ui::CompareView),
      report_(new ui::ReportView),
      form_(new ui::ScenarioForm(scenario_choices())),
      planner_(new PlanController(*form_, *memory_, this)),
      recommender_(new RecommendController(*form_, *recommend_, this)),
      measurer_(new MeasureController(*measure_, run_folder(), this)),
      reader_(new RunReader(this)),
      notice_(new NoticeBar),
      progress_(new QProgressBar) {
  setMinimumSize(kLeastSize);
  resize(kFirstSize);
  setAcceptDrops(true);
  setDockNestingEnabled(true);
  setAnimated(false);  // nothing of the window moves by itself: reduced motion is the only motion
  addPages();
  docks_ = std::make_unique<Docks>(*this, pages_, form_);
  presenter_ = new RunPresenter(runs_, {*overview_, *roofline_, *timeline_, *kv_cache_, *compare_, *chips_}, *docks_,
                                edits_, this);
  connect(reader_, &RunReader::slow, this, [this](const QString& file) { tell(tr("Reading %1…").arg(file)); });
  // After pages and documents, whose signals it follows.
  // NOLINTNEXTLINE(cppcoreguidelines-prefer-member-initializer)
  reporter_ = new ReportController(runs_, *form_, *report_, edits_, this);
  makeMenus();
  connectPages();
  connectJobs();
  ui::MeasureFields first_run;
  first_run.model = QStringLiteral("gpt2");
  measure_->setFields(first_run);
  form_->setFields(first_scenario());
  planned_ = form_->fields();
  planner_->plan(planned_);
  makeProject();
  applyPreferences(read_preferences(settings()));
  showPage(tr("Memory"));
  restoreGeometry(settings().value(QStringLiteral("geometry")).toByteArray());
  docks_->restore(settings().value(QStringLiteral("layout")).toByteArray());
}

MainWindow::~MainWindow() {
  // A stack of edits that is emptied tells of changes: nobody may look then at a window that is half gone.
  disconnect(&edits_, nullptr, nullptr, nullptr);
  delete project_;
}

void MainWindow::addPages() {
  auto* centre = new QWidget;
  auto* column = new QVBoxLayout(centre);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(notice_);
  column->addWidget(chips_);
  column->addWidget(stack_, 1);
  setCentralWidget(centre);
  addPage(tr("Overview"), overview_);
  addPage(tr("Roofline"), roofline_);
  addPage(tr("Timeline"), timeline_);
  addPage(tr("Memory"), memory_);
  addPage(tr("KV cache"), kv_cache_);
  addPage(tr("Plan"), recommend_);
  addPage(tr("Compare"), compare_);
  addPage(tr("Report"), report_);
  addPage(tr("Measure"), measure_);
  pages_->setFrameShape(QFrame::NoFrame);
  pages_->setAccessibleName(tr("Pages"));
  for (int i = 0; i < pages_->count(); ++i)
    pages_->item(i)->setSizeHint({0, pages_->fontMetrics().height() + kPagePadding});
  pages_->setFixedHeight(pages_->count() * (pages_->fontMetrics().height() + kPagePadding) + 2);
  progress_->setFixedWidth(kProgressWidth);
  progress_->setAccessibleName(tr("Progress"));
  progress_->hide();
  statusBar()->addPermanentWidget(progress_);
  pins_ = new ScenarioPins(*form_, *scenarios_, edits_, this);
}

void MainWindow::addPage(const QString& title, QWidget* page) {
  stack_->addWidget(page);
  pages_->addItem(title);
}

void MainWindow::connectPages() {
  connect(pages_, &QListWidget::currentRowChanged, stack_, &QStackedWidget::setCurrentIndex);
  for (ui::Page* page : std::initializer_list<ui::Page*>{overview_, roofline_, kv_cache_, compare_, report_})
    connect(page, &ui::Page::emptyButtonClicked, this, &MainWindow::chooseFile);
  for (ui::FigureView* chart : findChildren<ui::FigureView*>()) {
    connect(chart, &ui::FigureView::saveRequested, this, &MainWindow::saveChart);
    connect(chart, &ui::FigureView::saveDataRequested, this,
            [this](const viewmodel::Table& table, const QString& kind) { tell(save_table(this, table, kind)); });
    connect(chart, &ui::FigureView::addToReportRequested, reporter_, &ReportController::add);
    connect(chart, &ui::FigureView::manySelected, this, [this](int count, const viewmodel::Table& statistics) {
      docks_->inspector().setStatistics(
          statistics.rows.empty() ? tr("Selected: %1. They are of different kinds and have no sum.").arg(count)
                                  : tr("Selected: %1").arg(count),
          count > 1 && !statistics.rows.empty() ? std::optional(statistics) : std::nullopt);
    });
  }
  connect(stack_, &QStackedWidget::currentChanged, this, [this] {
    maximised_.restore();
    if (stack_->currentWidget() == measure_) measurer_->prepare();
    if (stack_->currentWidget() == timeline_) presenter_->showTimelines();
    if (stack_->currentWidget() == report_) reporter_->refresh();
  });
  connect(timeline_, &ui::Page::emptyButtonClicked, this, [this] { showPage(tr("Measure")); });
  connect(timeline_, &ui::TimelineView::traceRequested, this, &MainWindow::exportTrace);
  connect(report_, &ui::ReportView::exportRequested, this, &MainWindow::exportReportAs);
  connect(reporter_, &ReportController::told, this, &MainWindow::tell);
  connect(planner_, &PlanController::planned, reporter_, [this] {
    if (runs_.shown() == nullptr) reporter_->refresh();
  });
  connect(planner_, &PlanController::planned, recommender_, &RecommendController::schedule);
  connect(recommend_, &ui::Page::emptyButtonClicked, this, &MainWindow::chooseFile);
  connect(pins_, &ScenarioPins::failed, this, &MainWindow::tell);
  connect(form_, &ui::ScenarioForm::changed, this, &MainWindow::planEdited);
  connect(&runs_, &OpenRuns::currentChanged, this, [this] { showTitle(); });
}

void MainWindow::connectJobs() {
  ui::JobsPanel& jobs = docks_->jobs();
  connect(&jobs, &ui::JobsPanel::cancelRequested, measurer_, &MeasureController::cancel);
  connect(measurer_, &MeasureController::progressed, this, [this, &jobs](const QString& what, int index, int count) {
    jobs.showProgress(what, index, count);
    progress_->setRange(0, count);
    progress_->setValue(index);
    progress_->setToolTip(what);
    progress_->show();
  });
  connect(measurer_, &MeasureController::ended, this, [this, &jobs](const QString& text) {
    jobs.showEnd(text);
    progress_->hide();
    tell(text);
    if (!isActiveWindow()) notify(*this, tr("Measurement ended"), text);
  });
  connect(measurer_, &MeasureController::finished, this, &MainWindow::open);
}

void MainWindow::saveChart(const figure::Figure& chart, const viewmodel::Table& table, const QString& kind,
                           double scale) {
  try {
    tell(save_figure(this, viewmodel::chart_sheet(sheetHead(), chart, table, ui::words()), kind, scale));
  } catch (const Error& error) {
    tell(said_error(error));
  }
}

/// What the charts of the page are of: pages of the scenario speak of that, even while a run is shown.
viewmodel::SheetHead MainWindow::sheetHead() const {
  const QWidget* page = stack_->currentWidget();
  if (page == memory_ || page == recommend_) return sheet_head_of(reporter_->scenario());
  if (const QString recording = presenter_->recordingFile(); !recording.isEmpty() && page != compare_)
    return {QFileInfo(recording).fileName().toStdString(), {overview_->answer().toStdString()}};
  return sheet_head_of(reporter_->subject());
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

void MainWindow::tell(const QString& text) {
  if (text.isEmpty()) return;
  statusBar()->showMessage(text);
  docks_->log(text);
}

// -------- opening

void MainWindow::open(const QString& path) {
  if (path.endsWith(QStringLiteral(".dachlast-project"))) return openProject(path);
  if (path.endsWith(QStringLiteral(".html")) && openReport(path)) return;
  if (is_recording(path.toStdString())) return openRecording(path);
  if (path.endsWith(QStringLiteral(".dachlast"))) return openRun(path.toStdString());
  ui::ScenarioFields fields = form_->fields();
  fields.model = path;
  form_->setFields(fields);
  planEdited(fields);
  addRecent(path);
  showPage(tr("Memory"));
}

/// False where it could not be read.
bool MainWindow::addRun(ReadRun read) {
  if (!read.run) {
    presenter_->showError(read.problem);
    tell(read.problem);
    return false;
  }
  runs_.add(read.file, std::move(*read.run), std::move(read.planned));
  tell(tr("Opened %1").arg(read.file));
  for (const std::string& part : read.skipped)
    tell(tr("%1: left out, because a newer version wrote it: %2").arg(read.file, ui::said(part)));
  return true;
}

void MainWindow::openRun(const std::filesystem::path& file) {
  const QString name = to_qt(file.string());
  // A run dropped on the comparison joins it; elsewhere it is looked at.
  const bool joins = stack_->currentWidget() == compare_;
  reader_->read({name}, [this, name, joins](std::vector<ReadRun> read) {
    if (addRun(std::move(read.front()))) addRecent(name);
    if (!joins) showPage(tr("Overview"));
  });
}

/// A recording of kernels is no run: it has no model, no baseline and no cache, but the pages of time show it.
void MainWindow::openRecording(const QString& path) {
  presenter_->showRecording(path);
  addRecent(path);
  tell(tr("Opened %1").arg(path));
  showPage(tr("Timeline"));
}

void MainWindow::planEdited(const ui::ScenarioFields& fields) {
  if (fields == planned_) return;
  const auto show = [this](const ui::ScenarioFields& shown) {
    planned_ = shown;
    if (form_->fields() != shown) form_->setFields(shown);
    planner_->plan(shown);
  };
  edits_.push(new Edit(
      tr("Edit scenario"), [show, fields] { show(fields); }, [show, before = planned_] { show(before); },
      Edit::kScenario));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
  if (event->mimeData()->hasUrls()) event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event) {
  for (const QUrl& url : event->mimeData()->urls())
    if (url.isLocalFile()) open(url.toLocalFile());
}

void MainWindow::closeEvent(QCloseEvent* event) {
  if (!mayStopMeasuring() || !mayLeaveProject()) return event->ignore();
  measurer_->cancel();
  maximised_.restore();
  QSettings stored = settings();
  stored.setValue(QStringLiteral("geometry"), saveGeometry());
  stored.setValue(QStringLiteral("layout"), docks_->save());
  QMainWindow::closeEvent(event);
}

}  // namespace dachlast::gui
