#pragma once

#include <QWidget>

#include "ui/models/run_list_model.h"

class QTableView;

namespace dachlast::ui {

/// The open runs: which one is shown, which one is the baseline, what they are called.
class RunsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit RunsPanel(QWidget* parent = nullptr);

  void setRuns(const QList<RunEntry>& runs, int current);

 Q_SIGNALS:
  void chosen(int row);
  void baselineRequested(int row);
  void closeRequested(int row);
  void renamed(int row, const QString& name);
  void noted(int row, const QString& note);

 private:
  void showMenu(QPoint position);

  RunListModel* model_;
  QTableView* table_;
};

}  // namespace dachlast::ui
