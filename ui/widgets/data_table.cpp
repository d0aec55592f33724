#include "ui/widgets/data_table.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHeaderView>
#include <QKeyEvent>
#include <QMenu>
#include <QSortFilterProxyModel>
#include <algorithm>

#include "ui/models/table_model.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kLeastColumn = 56;
constexpr int kLeastName = 96;
constexpr int kMostColumn = 420;  // a longer text is told in full by its tooltip
constexpr int kRowPadding = 8;
constexpr int kRowsMeasured = 40;  // of thousands: enough to know how wide a column is

}  // namespace

DataTable::DataTable(QWidget* parent)
    : QTableView(parent), model_(new TableModel(this)), sorted_(new QSortFilterProxyModel(this)) {
  sorted_->setSourceModel(model_);
  sorted_->setSortRole(TableModel::kSortRole);
  setModel(sorted_);
  setAccessibleName(tr("Table"));  // until it holds one, which has a title
  setSelectionBehavior(QAbstractItemView::SelectRows);
  setAlternatingRowColors(true);
  setShowGrid(false);
  setWordWrap(false);
  setTabKeyNavigation(false);  // Tab leaves the table, arrows move in it
  verticalHeader()->hide();
  horizontalHeader()->setSectionsMovable(true);
  horizontalHeader()->setHighlightSections(false);
  horizontalHeader()->setMinimumSectionSize(kLeastColumn);
  horizontalHeader()->setResizeContentsPrecision(kRowsMeasured);
  verticalHeader()->setDefaultSectionSize(fontMetrics().height() + kRowPadding);
  connect(selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& current) {
    if (current.isValid()) Q_EMIT rowSelected(sorted_->mapToSource(current).row());
  });
  connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] {
    QList<int> rows;
    for (const QModelIndex& index : selectionModel()->selectedRows()) rows << sorted_->mapToSource(index).row();
    Q_EMIT rowsSelected(rows);
  });
}

void DataTable::setTable(viewmodel::Table table) {
  setAccessibleName(said(table.title));
  setSortingEnabled(false);
  model_->setTable(std::move(table));
  sorted_->sort(-1);  // as given, until someone sorts
  horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
  setSortingEnabled(true);
  resizeColumnsToContents();
  for (int column = 0; column < sorted_->columnCount(); ++column)
    setColumnWidth(column, std::min(columnWidth(column), kMostColumn));
  widest_first_ = fitted_first_ = columnWidth(0);
  keepFirstFigureInView();
  // A last column of words takes what is left; numbers stay close to their heads.
  const auto& columns = model_->table().columns;
  horizontalHeader()->setStretchLastSection(!columns.empty() && columns.back().align == viewmodel::Align::kLeft);
}

/// A narrow dock shortens names, which their tooltips tell in full, before it hides what they name.
void DataTable::keepFirstFigureInView() {
  const auto& columns = model_->table().columns;
  if (columns.size() < 2 || columns.front().align != viewmodel::Align::kLeft) return;
  if (columnWidth(0) != fitted_first_) return;
  const int room = std::max(viewport()->width() - columnWidth(1), viewport()->width() / 2);
  fitted_first_ = std::clamp(room, std::min(kLeastName, widest_first_), widest_first_);
  setColumnWidth(0, fitted_first_);
}

void DataTable::resizeEvent(QResizeEvent* event) {
  QTableView::resizeEvent(event);
  if (event->size().width() != event->oldSize().width()) keepFirstFigureInView();
}

const viewmodel::Table& DataTable::table() const {
  return model_->table();
}

void DataTable::selectRow(int row) {
  if (row < 0) return clearSelection();
  if (row == currentDatumRow()) return;
  setCurrentIndex(sorted_->mapFromSource(model_->index(row, 0)));
}

int DataTable::currentDatumRow() const {
  return currentIndex().isValid() && selectionModel()->hasSelection() ? sorted_->mapToSource(currentIndex()).row() : -1;
}

QList<int> DataTable::selectedRows() const {
  QList<int> rows;
  for (const QModelIndex& index : selectionModel()->selectedRows()) rows << index.row();
  std::sort(rows.begin(), rows.end());
  if (rows.isEmpty())
    for (int row = 0; row < sorted_->rowCount(); ++row) rows << row;
  return rows;
}

QList<int> DataTable::visibleColumns() const {
  QList<int> columns;
  for (int place = 0; place < sorted_->columnCount(); ++place) {
    const int column = horizontalHeader()->logicalIndex(place);
    if (!isColumnHidden(column)) columns << column;
  }
  return columns;
}

QString DataTable::joined(const QString& before, const QString& between, const QString& after,
                          const QString& rule) const {
  const QList<int> columns = visibleColumns();
  const auto line = [&](const QStringList& cells) { return before + cells.join(between) + after + u'\n'; };
  QStringList heads;
  for (const int column : columns) heads << sorted_->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString();
  QString text = line(heads);
  if (!rule.isEmpty()) text += line(QStringList(columns.size(), rule));
  for (const int row : selectedRows()) {
    QStringList cells;
    for (const int column : columns) cells << sorted_->index(row, column).data(TableModel::kCopyRole).toString();
    text += line(cells);
  }
  return text;
}

QString DataTable::selectionAsTsv() const {
  return joined({}, QStringLiteral("\t"), {}, {});
}

QString DataTable::selectionAsMarkdown() const {
  return joined(QStringLiteral("| "), QStringLiteral(" | "), QStringLiteral(" |"), QStringLiteral("---"));
}

void DataTable::keyPressEvent(QKeyEvent* event) {
  if (event->matches(QKeySequence::Copy)) return QApplication::clipboard()->setText(selectionAsTsv());
  QTableView::keyPressEvent(event);
}

void DataTable::contextMenuEvent(QContextMenuEvent* event) {
  QMenu menu;
  const QModelIndex cell = indexAt(event->pos());
  QAction* copy_cell = menu.addAction(tr("Copy cell"), this, [cell] {
    QApplication::clipboard()->setText(cell.data(TableModel::kCopyRole).toString());
  });
  copy_cell->setEnabled(cell.isValid());
  menu.addAction(tr("Copy rows"), this, [this] { QApplication::clipboard()->setText(selectionAsTsv()); });
  menu.addAction(tr("Copy as Markdown"), this, [this] { QApplication::clipboard()->setText(selectionAsMarkdown()); });
  QMenu* columns = menu.addMenu(tr("Columns"));
  for (int column = 1; column < sorted_->columnCount(); ++column) {
    QAction* action = columns->addAction(sorted_->headerData(column, Qt::Horizontal, Qt::DisplayRole).toString());
    action->setCheckable(true);
    action->setChecked(!isColumnHidden(column));
    connect(action, &QAction::toggled, this, [this, column](bool shown) { setColumnHidden(column, !shown); });
  }
  menu.exec(event->globalPos());
}

}  // namespace dachlast::ui
