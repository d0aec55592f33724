#pragma once

#include "core/viewmodel/table.h"
#include "ui/widgets/page.h"

class QPushButton;

namespace dachlast::ui {

class DataTable;

/// Scenarios held side by side: what each needs, whether it fits.
class ScenariosView : public Page {
  Q_OBJECT

 public:
  explicit ScenariosView(QWidget* parent = nullptr);

  /// One scenario a row, in the order they were pinned.
  void setScenarios(const viewmodel::Table& scenarios);
  int count() const;
  void selectScenario(int row);

 Q_SIGNALS:
  /// The scenario of the form joins the list.
  void pinRequested();
  void adoptRequested(int row);
  void removeRequested(int row);

 private:
  DataTable* table_;
  QPushButton* adopt_;
  QPushButton* remove_;
};

}  // namespace dachlast::ui
