#pragma once

#include <QAbstractTableModel>

#include "core/viewmodel/table.h"

namespace dachlast::ui {

/// A view-model's table as Qt sees one: text by display role, raw value by sort role, origin as mark and tooltip.
class TableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Roles { SortRole = Qt::UserRole };

  explicit TableModel(QObject* parent = nullptr);

  void setTable(viewmodel::Table table);
  const viewmodel::Table& table() const { return table_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  const viewmodel::Cell& cell(const QModelIndex& index) const;

  viewmodel::Table table_;
};

}  // namespace dachlast::ui
