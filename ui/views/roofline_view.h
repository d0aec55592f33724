#pragma once

#include <optional>

#include "core/viewmodel/roofline_plot.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QLabel;
class QSlider;

namespace dachlast::ui {

class DataTable;

/// The roofline with its numbered table below it; a selection holds in both. The frame belongs to the device: it stays through
/// filters, and comes back after zooming.
class RooflineView : public Page {
  Q_OBJECT

 public:
  explicit RooflineView(QWidget* parent = nullptr);

  void setPlot(const viewmodel::RooflinePlot& plot, const QString& answer);
  /// Operators of a recording and the table that lists them. A box on the chart chooses nothing there.
  void setRecording(const viewmodel::RooflinePlot& plot, const viewmodel::Table& table, const QString& answer);
  void setSelected(const QString& datum);
  void clearBrush();
  /// Share of the time of each phase that the operations shown cover together.
  double coverage() const;
  void setCoverage(double share);

 Q_SIGNALS:
  /// Fewer or more operations are to be shown.
  void coverageChanged();
  void selected(const QString& datum);
  void brushed(const dachlast::ui::FigureView::Window& window);
  void brushCleared();

 private:
  QWidget* makeCoverage();
  void fill(const viewmodel::RooflinePlot& plot, const viewmodel::Table& table, const QString& answer);
  void draw();

  FigureView* chart_;
  QSlider* coverage_;
  QLabel* covered_;
  DataTable* table_;
  viewmodel::RooflinePlot plot_;
  std::optional<FigureView::Window> window_;  // zoomed to; empty: the whole frame
  std::vector<QString> datums_;               // of the table's rows
};

}  // namespace dachlast::ui
