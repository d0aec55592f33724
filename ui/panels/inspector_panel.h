#pragma once

#include <QWidget>
#include <optional>

#include "core/viewmodel/inspection.h"

class QLabel;

namespace dachlast::ui {

class DataTable;

/// Everything about what is selected: counters, formulas, roofs; and, for a selection of many, its statistics.
class InspectorPanel : public QWidget {
  Q_OBJECT

 public:
  explicit InspectorPanel(QWidget* parent = nullptr);

  void setInspection(const std::optional<viewmodel::Inspection>& inspection);
  void setStatistics(const QString& of, const std::optional<viewmodel::Table>& statistics);
  QString title() const;

  QSize sizeHint() const override { return {280, 420}; }

 private:
  QLabel* title_;
  QLabel* where_;
  QLabel* verdict_;
  DataTable* figures_;
  QLabel* selection_;
  DataTable* statistics_;
};

}  // namespace dachlast::ui
