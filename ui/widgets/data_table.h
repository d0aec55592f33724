#pragma once

#include <QTableView>

#include "core/viewmodel/table.h"

class QSortFilterProxyModel;

namespace dachlast::ui {

class TableModel;

/// A table of the program: sortable by raw value, its columns can be hidden, cells, rows and selections can be copied.
class DataTable : public QTableView {
  Q_OBJECT

 public:
  explicit DataTable(QWidget* parent = nullptr);

  void setTable(viewmodel::Table table);
  const viewmodel::Table& table() const;

  /// Selects the row with this place in the table as it was given; −1: none.
  void selectRow(int row);

  /// The current row by its place in the table as it was given; −1: none.
  int currentDatumRow() const;

  /// What is selected, tab-separated with a head; everything where nothing is.
  QString selectionAsTsv() const;
  QString selectionAsMarkdown() const;

 Q_SIGNALS:
  /// The current row by its place in the table as it was given.
  void rowSelected(int row);
  /// All selected rows, by their places in the table as it was given.
  void rowsSelected(const QList<int>& rows);

 protected:
  void contextMenuEvent(QContextMenuEvent* event) override;
  void keyPressEvent(QKeyEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void keepFirstFigureInView();
  QList<int> selectedRows() const;
  QList<int> visibleColumns() const;
  QString joined(const QString& before, const QString& between, const QString& after, const QString& rule) const;

  TableModel* model_;
  QSortFilterProxyModel* sorted_;
  int widest_first_ = 0;  // pixels the first column would like
  int fitted_first_ = 0;  // pixels it was given; another width is someone's choice
};

}  // namespace dachlast::ui
