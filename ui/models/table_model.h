#pragma once

#include <QAbstractTableModel>

#include "core/viewmodel/table.h"

namespace dachlast::ui {

/// A view-model's table as Qt sees one: text by display role, raw value by sort role, origin as mark and tooltip.
class TableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Roles {
    kSortRole = Qt::UserRole,
    /// As display, but with decimal points whatever the language: what leaves the program by the clipboard.
    kCopyRole
  };

  explicit TableModel(QObject* parent = nullptr);

  void setTable(viewmodel::Table table);
  /// As it was given; what is displayed speaks the reader's language.
  const viewmodel::Table& table() const { return table_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  static const viewmodel::Cell& cell(const viewmodel::Table& table, const QModelIndex& index);

  viewmodel::Table table_;
  viewmodel::Table shown_;
  viewmodel::Table copied_;  // English figures in the units shown
};

}  // namespace dachlast::ui
