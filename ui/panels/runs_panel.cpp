#include "ui/panels/runs_panel.h"

#include <QHeaderView>
#include <QMenu>
#include <QSignalBlocker>
#include <QTableView>
#include <QVBoxLayout>

namespace dachlast::ui {
namespace {

constexpr int kRunPadding = 8;
constexpr int kStarWidth = 32;

}  // namespace

RunsPanel::RunsPanel(QWidget* parent) : QWidget(parent), model_(new RunListModel(this)), table_(new QTableView) {
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(table_);
  table_->setModel(model_);
  table_->setAccessibleName(tr("Open runs"));
  table_->setSelectionBehavior(QAbstractItemView::SelectRows);
  table_->setSelectionMode(QAbstractItemView::SingleSelection);
  table_->setShowGrid(false);
  table_->setWordWrap(false);
  table_->setTabKeyNavigation(false);
  table_->verticalHeader()->hide();
  table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + kRunPadding);
  table_->horizontalHeader()->setStretchLastSection(true);
  table_->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(table_, &QWidget::customContextMenuRequested, this, &RunsPanel::showMenu);
  connect(table_->selectionModel(), &QItemSelectionModel::currentRowChanged, this, [this](const QModelIndex& index) {
    if (index.isValid()) Q_EMIT chosen(index.row());
  });
  connect(table_, &QTableView::clicked, this, [this](const QModelIndex& index) {
    // Also of the current row, in whose place something else may be shown.
    index.column() == RunListModel::kBaseline ? Q_EMIT baselineRequested(index.row()) : Q_EMIT chosen(index.row());
  });
  connect(model_, &RunListModel::renamed, this, &RunsPanel::renamed);
  connect(model_, &RunListModel::noted, this, &RunsPanel::noted);
}

void RunsPanel::setRuns(const QList<RunEntry>& runs, int current) {
  const QSignalBlocker blocker(table_->selectionModel());
  const bool same_count = runs.size() == model_->runs().size();
  model_->setRuns(runs);
  if (!same_count) table_->resizeColumnsToContents();
  table_->setColumnWidth(RunListModel::kBaseline, kStarWidth);
  if (current >= 0 && current < runs.size()) table_->setCurrentIndex(model_->index(current, RunListModel::kName));
}

void RunsPanel::showMenu(QPoint position) {
  const QModelIndex index = table_->indexAt(position);
  if (!index.isValid()) return;
  const int row = index.row();
  QMenu menu;
  menu.addAction(tr("Use as baseline"), this, [this, row] { Q_EMIT baselineRequested(row); });
  menu.addAction(tr("Rename"), this, [this, row] { table_->edit(model_->index(row, RunListModel::kName)); });
  menu.addAction(tr("Edit note"), this, [this, row] { table_->edit(model_->index(row, RunListModel::kNote)); });
  menu.addSeparator();
  menu.addAction(tr("Close run"), this, [this, row] { Q_EMIT closeRequested(row); });
  menu.exec(table_->viewport()->mapToGlobal(position));
}

}  // namespace dachlast::ui
