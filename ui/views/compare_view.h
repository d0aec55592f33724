#pragma once

#include "core/viewmodel/compare_many.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QDoubleSpinBox;

namespace dachlast::ui {

class DataTable;

/// A baseline and up to four runs: what differs in their settings, how every point changed, and how sure that is.
class CompareView : public Page {
  Q_OBJECT

 public:
  explicit CompareView(QWidget* parent = nullptr);

  void setComparison(const viewmodel::CompareMany& comparison);
  /// The smallest change that counts, as a share of one.
  double threshold() const;

 Q_SIGNALS:
  void thresholdChanged();

 private:
  QLabel* baseline_;
  QLabel* equal_;
  DataTable* configuration_;
  FigureView* changes_;
  DataTable* phases_;
  DataTable* points_;
  QLabel* notes_;
  QLabel* nothing_;  // why there are no points
  QWidget* evidence_;
  QDoubleSpinBox* threshold_;
};

}  // namespace dachlast::ui
