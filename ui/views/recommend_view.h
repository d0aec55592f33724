#pragma once

#include <vector>

#include "core/viewmodel/pareto_chart.h"
#include "core/viewmodel/speed_curves.h"
#include "core/viewmodel/table.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QGridLayout;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;
class QTabWidget;
class QTimer;

namespace dachlast::ui {

class DataTable;
class ScenariosView;

/// What is asked of the hardware that is looked for; model, engine and context are those of the scenario.
struct RecommendFields {
  int concurrency = 1;
  double ttft_ms = 0.0;  // 0: no limit
  double tpot_ms = 0.0;
  int max_devices = 8;
  QStringList devices;  // empty: all known ones
  QString prices;       // a file, "catalog"; empty: none

  bool operator==(const RecommendFields&) const = default;
};

/// A recommendation, ready to show.
struct RecommendContent {
  QString answer;
  viewmodel::Table options;            // with the reasons
  std::vector<int> option_candidates;  // of the options' rows: datums of the chart
  viewmodel::Table rejections;
  QString rejected;  // how many were, and why
  QStringList remarks;
  viewmodel::ParetoChart pareto;
  viewmodel::Table candidates;  // behind the chart
};

/// Which hardware for which load: limits, the options offered, all candidates in a chart, curves of the scenario; the scenarios that
/// are held side by side in the last of its lists.
class RecommendView : public Page {
  Q_OBJECT

 public:
  explicit RecommendView(ScenariosView* scenarios, QWidget* parent = nullptr);

  RecommendFields fields() const;
  void setFields(const RecommendFields& fields);
  void setContent(const RecommendContent& content);
  void setCurves(const viewmodel::SpeedCurves& over_batch, const viewmodel::SpeedCurves& over_context);
  /// Why there is no recommendation; the fields stay, so that they can be changed.
  void showProblem(const QString& text);
  enum class State : std::uint8_t { kIdle, kSearching };
  /// A search that is over soon shows nothing of itself.
  void setState(State state);
  void setAxes(viewmodel::ParetoAxis x, viewmodel::ParetoAxis y);
  const FigureView& chart() const { return *pareto_; }

 Q_SIGNALS:
  void changed(const dachlast::ui::RecommendFields& fields);
  void cancelRequested();
  /// A candidate was chosen, by its place among all of them: it becomes the scenario.
  void adoptRequested(int candidate);
  /// The page came into sight: what it shows may be out of date.
  void shown();

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* makeForm();
  QWidget* makeCharts();
  QWidget* makePareto();
  QWidget* makeLists(ScenariosView* scenarios);
  QComboBox* makeAxis(const QString& name, viewmodel::ParetoAxis first);
  void addField(QGridLayout& grid, int place, const QString& label, QWidget* field);
  void choosePrices();
  void adoptOption();
  void drawPareto();
  void tell();

  QSpinBox* concurrency_;
  QDoubleSpinBox* ttft_;
  QDoubleSpinBox* tpot_;
  QSpinBox* max_devices_;
  QLineEdit* devices_;
  QComboBox* prices_;
  QProgressBar* busy_;
  QPushButton* cancel_;
  QTimer* patience_;  // until a search is worth mentioning
  QWidget* evidence_ = nullptr;
  QComboBox* x_axis_ = nullptr;
  QComboBox* y_axis_ = nullptr;
  QCheckBox* dominated_ = nullptr;
  FigureView* pareto_;
  FigureView* over_batch_;
  FigureView* over_context_;
  QTabWidget* lists_;
  DataTable* options_;
  DataTable* rejections_;
  QLabel* rejected_;
  QLabel* remarks_;
  RecommendContent content_;
  bool silent_ = false;
};

}  // namespace dachlast::ui
