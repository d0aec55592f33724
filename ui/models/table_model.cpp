#include "ui/models/table_model.h"

#include "core/base/overloaded.h"
#include "core/viewmodel/localise.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

using viewmodel::Align;
using viewmodel::Cell;

/// Missing values sort below all others.
QVariant raw_value(const Cell& cell) {
  return std::visit(Overloaded{[](std::monostate) { return QVariant(); }, [](double value) { return QVariant(value); },
                               [](std::int64_t value) { return QVariant(static_cast<qlonglong>(value)); },
                               [](const std::string& value) { return QVariant(to_qt(value)); }},
                    cell.raw);
}

/// Estimated figures carry their sign everywhere (UX.md R2).
QString text_of(const Cell& cell) {
  const QString text = to_qt(cell.text);
  return cell.origin == Origin::kEstimated ? QStringLiteral("≈\u2009") + text : text;
}

bool is_word(const Cell& cell) {
  return std::holds_alternative<std::string>(cell.raw);
}

constexpr qsizetype kLongText = 16;

/// A text that its column may cut is told in full; else what the column means.
QVariant tooltip_of(const Cell& cell, const viewmodel::Column& column) {
  const QString text = to_qt(cell.text);
  if (text.size() > kLongText) return text;
  return column.description.empty() ? QVariant() : to_qt(column.description);
}

}  // namespace

TableModel::TableModel(QObject* parent) : QAbstractTableModel(parent) {}

void TableModel::setTable(viewmodel::Table table) {
  beginResetModel();
  table_ = std::move(table);
  shown_ = viewmodel::in_language(table_, words());
  copied_ = viewmodel::in_language(table_, viewmodel::Words::of(viewmodel::Language::kEnglish, capacity_units()));
  endResetModel();
}

int TableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.rows.size());
}

int TableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.columns.size());
}

const Cell& TableModel::cell(const viewmodel::Table& table, const QModelIndex& index) {
  return table.rows[static_cast<std::size_t>(index.row())][static_cast<std::size_t>(index.column())];
}

QVariant TableModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const auto& column = shown_.columns[static_cast<std::size_t>(index.column())];
  switch (role) {
    case Qt::DisplayRole: return text_of(cell(shown_, index));
    case kSortRole: return raw_value(cell(table_, index));
    case kCopyRole: return text_of(cell(is_word(cell(table_, index)) ? shown_ : copied_, index));
    case Qt::TextAlignmentRole:
      return QVariant::fromValue((column.align == Align::kRight ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::ToolTipRole: return tooltip_of(cell(shown_, index), column);
    default: return {};
  }
}

QVariant TableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || section < 0 || section >= columnCount()) return {};
  const auto& column = shown_.columns[static_cast<std::size_t>(section)];
  switch (role) {
    case Qt::DisplayRole: return to_qt(head_of(column));
    case Qt::ToolTipRole: return column.description.empty() ? QVariant() : to_qt(column.description);
    case Qt::TextAlignmentRole:
      return QVariant::fromValue((column.align == Align::kRight ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    default: return {};
  }
}

}  // namespace dachlast::ui
