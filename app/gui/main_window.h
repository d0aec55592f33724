#pragma once

#include <QMainWindow>
#include <filesystem>
#include <optional>

#include "core/figure/figure.h"
#include "core/roofline/run.h"

class QListWidget;
class QStackedWidget;

namespace dachlast::ui {
class MeasureView;
class OverviewView;
class PlanView;
class RooflineView;
class ScenarioForm;
}  // namespace dachlast::ui

namespace dachlast::gui {

class MeasureController;
class PlanController;

/// The program's window: names of pages on the left, one page in the middle, docks around it.
class MainWindow : public QMainWindow {
  Q_OBJECT

 public:
  explicit MainWindow(QWidget* parent = nullptr);
  ~MainWindow() override;

  /// Opens a run file, or takes anything else as a model to plan. What cannot be opened is said on the page concerned.
  void open(const QString& path);
  /// Shows the page of this title; an unknown one changes nothing.
  void showPage(const QString& title);
  QStringList pageTitles() const;

 protected:
  void dragEnterEvent(QDragEnterEvent* event) override;
  void dropEvent(QDropEvent* event) override;
  void closeEvent(QCloseEvent* event) override;

 private:
  void addPage(const QString& title, QWidget* page);
  void makeMenus();
  void makeScenarioDock();
  void chooseFile();
  void openRun(const std::filesystem::path& file);
  void showRun();
  void exportReport();
  void saveFigure(const figure::Figure& figure, const QString& kind);
  void addRecent(const QString& path);
  void fillRecent();
  void restoreDefaultLayout();

  QListWidget* pages_;
  QStackedWidget* stack_;
  ui::MeasureView* measure_;
  ui::OverviewView* overview_;
  ui::RooflineView* roofline_;
  ui::PlanView* plan_;
  ui::ScenarioForm* form_;
  PlanController* planner_;
  MeasureController* measurer_;
  QMenu* recent_;
  QMenu* view_menu_;
  QDockWidget* scenario_dock_;
  QAction* export_;
  std::optional<Run> run_;
  QByteArray default_layout_;
};

}  // namespace dachlast::gui
