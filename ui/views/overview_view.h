#pragma once

#include "core/viewmodel/profile_view.h"
#include "core/viewmodel/run_view.h"
#include "ui/widgets/figure_view.h"
#include "ui/widgets/page.h"

class QListWidget;

namespace dachlast::ui {

class DataTable;

/// A run at a glance: what binds each phase, where its time goes, what could be saved.
class OverviewView : public Page {
  Q_OBJECT

 public:
  explicit OverviewView(QWidget* parent = nullptr);

  /// `memory` may be empty: nothing is known of it then.
  void setRun(const viewmodel::RunView& run, FigureView::Source phase_bars, FigureView::Source memory = {});
  /// The device the run was made on, and its roofs.
  void setDevice(const QStringList& facts);

  /// A recording, or a part of its time, with what else is to be said of it.
  void setRecording(const viewmodel::ProfileView& recording, const QStringList& facts);

 Q_SIGNALS:
  /// An operation worth looking at was clicked, as `viewmodel::op_datum` names it.
  void findingChosen(const QString& datum);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void setFindings(const viewmodel::RunView& run);
  void fitFindings();
  QWidget* makeEvidence();
  QWidget* makeRecorded();

  QLabel* title_;
  QLabel* device_;
  QLabel* figures_;
  FigureView* bars_;
  QWidget* bars_area_ = nullptr;  // scrolls where there are more than it shows
  FigureView* memory_;
  QListWidget* findings_;
  DataTable* phases_;
  QLabel* remarks_;
  QWidget* evidence_ = nullptr;  // of a run
  QWidget* recorded_ = nullptr;  // of a recording
  DataTable* devices_ = nullptr;
  DataTable* recorded_phases_ = nullptr;
  DataTable* families_ = nullptr;
  QLabel* notes_ = nullptr;
};

}  // namespace dachlast::ui
