#pragma once

#include <QMainWindow>
#include <QUndoStack>
#include <filesystem>
#include <memory>

#include "app/gui/commands.h"
#include "app/gui/docks.h"
#include "app/gui/maximised_chart.h"
#include "app/gui/open_runs.h"
#include "core/viewmodel/chart_sheet.h"
#include "ui/widgets/scenario_form.h"

class QListWidget;
class QProgressBar;
class QStackedWidget;

namespace dachlast::ui {
class ChipBar;
class CompareView;
class KvCachePage;
class MeasureView;
class OverviewView;
class PlanView;
class RecommendView;
class ReportView;
struct ReportFields;
class RooflineView;
class ScenariosView;
class TimelineView;
}  // namespace dachlast::ui

namespace dachlast::gui {

class MeasureController;
class NoticeBar;
class PlanController;
class ProjectController;
class RecommendController;
class ReportController;
class RunPresenter;
class RunReader;
struct ReadRun;
class ScenarioPins;
struct Preferences;

/// The program's window: names of pages on the left, one page in the middle, docks around it.
class MainWindow : public QMainWindow {
  Q_OBJECT
  Q_DISABLE_COPY_MOVE(MainWindow)

 public:
  explicit MainWindow(QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Opens a project, a run file or a report, or takes anything else as a model to plan. What cannot be opened is said on the
  /// page concerned.
  void open(const QString& path);
  /// Shows the page of this title; an unknown one changes nothing.
  void showPage(const QString& title);
  QStringList pageTitles() const;
  /// Names of the pages that are the same in every language, in the order of the titles.
  static QStringList pageIds();
  /// Threshold and keys as the reader chose them; the theme is the whole program's.
  void applyPreferences(const Preferences& preferences);
  /// Writes every page anew, in the units of now.
  void showAgain();
  /// Tells of projects that a crash left behind, with a way to restore or drop each.
  void offerRecovery();

  OpenRuns& runs() { return runs_; }
  RunPresenter& presenter() { return *presenter_; }
  RunReader& reader() { return *reader_; }
  ReportController& reporter() { return *reporter_; }
  Docks& docks() { return *docks_; }
  QUndoStack& edits() { return edits_; }
  ProjectController& project() { return *project_; }
  const Commands& commands() const { return commands_; }

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void addPage(const QString& title, QWidget* page);
  void addPages();
  void connectPages();
  void connectJobs();
  void makeMenus();
  void makeFileMenu();
  void makeEditMenu();
  void makeRunMenu();
  void makeViewMenu();
  void makeHelpMenu();
  QAction* command(const char* id, QAction* action) { return commands_.add(QLatin1String(id), action); }
  void makeProject();
  void showTitle();
  void openProject(const QString& file);
  bool openReport(const QString& file);
  bool saveProject();
  bool saveProjectAs();
  bool mayLeaveProject();
  bool mayStopMeasuring();
  void editProjectNote();
  void newWindow();
  void openSettings();
  void showHelp();
  void findOperations();
  void chooseFile();
  bool addRun(ReadRun read);
  void openRun(const std::filesystem::path& file);
  void openRecording(const QString& path);
  void exportReport();
  void printReport();
  void exportTrace();
  void exportReportAs(const ui::ReportFields& fields);
  viewmodel::SheetHead sheetHead() const;
  void saveChart(const figure::Figure& chart, const viewmodel::Table& table, const QString& kind, double scale);
  void tell(const QString& text);
  void addRecent(const QString& path);
  void fillRecent();
  void planEdited(const ui::ScenarioFields& fields);
  void toggleMaximised();
  void copyAsCommand();

  QUndoStack edits_;
  Commands commands_;
  OpenRuns runs_;
  MaximisedChart maximised_{this};
  QListWidget* pages_;
  QStackedWidget* stack_;
  ui::ChipBar* chips_;
  ui::MeasureView* measure_;
  ui::OverviewView* overview_;
  ui::RooflineView* roofline_;
  ui::TimelineView* timeline_;
  ui::PlanView* memory_;
  ui::KvCachePage* kv_cache_;
  ui::ScenariosView* scenarios_;
  ui::RecommendView* recommend_;
  ui::CompareView* compare_;
  ui::ReportView* report_;
  ui::ScenarioForm* form_;
  ui::ScenarioFields planned_;  // what the form said before its last change
  PlanController* planner_;
  RecommendController* recommender_;
  MeasureController* measurer_;
  std::unique_ptr<Docks> docks_;
  RunPresenter* presenter_;
  RunReader* reader_;
  ReportController* reporter_;
  ScenarioPins* pins_;
  ProjectController* project_;
  NoticeBar* notice_;
  QProgressBar* progress_;
  QMenu* recent_ = nullptr;
};

}  // namespace dachlast::gui
