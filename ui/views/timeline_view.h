#pragma once

#include <memory>

#include "core/viewmodel/timeline.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QComboBox;
class QToolButton;

namespace dachlast::ui {

class DataTable;

/// Recorded steps over time: zoomed by the wheel, panned, brushed for statistics. A baseline stands below, aligned where the step
/// begins.
class TimelineView : public Page {
  Q_OBJECT

 public:
  using TimelinePtr = std::shared_ptr<const viewmodel::Timeline>;

  explicit TimelineView(QWidget* parent = nullptr);

  /// Frames one step of the run.
  void setTimeline(const QString& name, TimelinePtr timeline);
  /// GPUs that a recording offers, and which of them is shown; fewer than two leave nothing to choose.
  void setDevices(const QStringList& names, int shown);
  /// nullptr: none.
  void setBaseline(const QString& name, TimelinePtr timeline);
  void setFilters(const std::vector<viewmodel::OpFilter>& filters);
  /// A sentence while spans are being read.
  void showLoading(const QString& text);
  void clearBrush();

  const FigureView& chart() const { return *chart_; }
  figure::Interval window() const { return window_; }
  /// Shows this part of time, counted from the step that is framed.
  void setWindow(const figure::Interval& window_ns);

 Q_SIGNALS:
  void selected(const QString& datum);
  /// A range was brushed: what lies in it.
  void rangeChosen(const viewmodel::TimelineRange& range);
  void rangeCleared();
  /// Another of the GPUs is asked for.
  void deviceChosen(int index);
  /// Someone wants all recorded spans in a file for trace viewers.
  void traceRequested();

 private:
  void draw();
  void frameStep(int step);
  /// That step and, where it takes longer, the one of the baseline.
  figure::Interval frameOf(int step) const;
  void goTo(int step);
  void chooseRange(const FigureView::Window& window);
  void fillPoints();
  QWidget* makeHead();
  QWidget* makeDevices();

  QComboBox* points_;
  QToolButton* before_;
  QToolButton* after_;
  QWidget* head_;  // holds these
  QComboBox* devices_;
  QWidget* devices_head_;
  FigureView* chart_;
  QLabel* sentence_;
  QLabel* missing_;  // rows that could not be recorded, and why
  DataTable* statistics_;
  QString name_;
  TimelinePtr timeline_;
  QString base_name_;
  TimelinePtr base_;
  std::vector<viewmodel::OpFilter> filters_;
  bool framed_ = false;  // the window is still the one of the step
  int step_ = 0;         // framed; the chart's zero is where it begins
  figure::Interval window_{0.0, 1.0};
};

}  // namespace dachlast::ui
