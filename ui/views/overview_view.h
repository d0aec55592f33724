#pragma once

#include "core/viewmodel/run_view.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

namespace dachlast::ui {

class DataTable;

/// A run at a glance: what binds each phase, where its time goes, what could be saved.
class OverviewView : public Page {
  Q_OBJECT

 public:
  explicit OverviewView(QWidget* parent = nullptr);

  void setRun(const viewmodel::RunView& run, FigureView::Source phase_bars);

 Q_SIGNALS:
  void saveRequested(const figure::Figure& figure, const QString& kind);

 private:
  QLabel* title_;
  QLabel* figures_;
  FigureView* bars_;
  QLabel* findings_;
  DataTable* phases_;
  QLabel* remarks_;
};

}  // namespace dachlast::ui
