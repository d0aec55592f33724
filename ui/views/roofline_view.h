#pragma once

#include "core/viewmodel/roofline_plot.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

namespace dachlast::ui {

class DataTable;

/// The roofline with its numbered table below it; a selection holds in both.
class RooflineView : public Page {
  Q_OBJECT

 public:
  explicit RooflineView(QWidget* parent = nullptr);

  void setPlot(const viewmodel::RooflinePlot& plot, const QString& answer);

 Q_SIGNALS:
  void saveRequested(const figure::Figure& figure, const QString& kind);

 private:
  FigureView* chart_;
  DataTable* table_;
  std::vector<QString> datums_;  // of the table's rows
};

}  // namespace dachlast::ui
