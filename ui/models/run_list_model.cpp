#include "ui/models/run_list_model.h"

#include <QGuiApplication>
#include <QPainter>
#include <QPalette>
#include <QPixmap>

#include "ui/paint/theme.h"

namespace dachlast::ui {
namespace {

constexpr int kMarkSize = 16;
constexpr double kMarkRadius = 5.0;

QPixmap mark_of(const RunEntry& run) {
  QPixmap mark(kMarkSize, kMarkSize);
  mark.fill(Qt::transparent);
  QPainter painter(&mark);
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(Qt::NoPen);
  painter.setBrush(colour(run.role, theme_of(QGuiApplication::palette())));
  const QRectF box(kMarkSize / 2.0 - kMarkRadius, kMarkSize / 2.0 - kMarkRadius, 2 * kMarkRadius, 2 * kMarkRadius);
  run.shape == figure::MarkerShape::kCircle ? painter.drawEllipse(box) : painter.drawRect(box);
  return mark;
}

}  // namespace

RunListModel::RunListModel(QObject* parent) : QAbstractTableModel(parent) {}

// Views keep selection and pressed cell through a change of the same rows, but lose them in a reset.
void RunListModel::setRuns(const QList<RunEntry>& runs) {
  if (runs.size() == runs_.size() && !runs.isEmpty()) {
    runs_ = runs;
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, kColumnCount - 1));
    return;
  }
  beginResetModel();
  runs_ = runs;
  endResetModel();
}

int RunListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(runs_.size());
}

int RunListModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : kColumnCount;
}

QVariant RunListModel::textOf(const RunEntry& run, int column) const {
  switch (column) {
    case kBaseline: return run.standing == RunEntry::Standing::kBaseline ? QStringLiteral("★") : QStringLiteral("☆");
    case kName: return run.name;
    case kSubject: return run.subject;
    case kDate: return run.date;
    case kNote: return run.note;
    default: return {};
  }
}

QVariant RunListModel::data(const QModelIndex& index, int role) const {
  if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) return {};
  const RunEntry& run = runs_[index.row()];
  const bool starred = run.standing == RunEntry::Standing::kBaseline;
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole: return textOf(run, index.column());
    case Qt::DecorationRole: return index.column() == kName ? QVariant(mark_of(run)) : QVariant();
    case Qt::ToolTipRole:
      if (index.column() == kBaseline) return starred ? tr("The baseline") : tr("Use as baseline");
      return run.file;
    case Qt::AccessibleTextRole:
      if (index.column() == kBaseline) return starred ? tr("Baseline") : tr("Not the baseline");
      return textOf(run, index.column());
    default: return {};
  }
}

bool RunListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (role != Qt::EditRole || !index.isValid()) return false;
  const QString text = value.toString().trimmed();
  if (index.column() == kName && !text.isEmpty() && text != runs_[index.row()].name) {
    Q_EMIT renamed(index.row(), text);
    return true;
  }
  if (index.column() == kNote && text != runs_[index.row()].note) {
    Q_EMIT noted(index.row(), text);
    return true;
  }
  return false;
}

Qt::ItemFlags RunListModel::flags(const QModelIndex& index) const {
  const bool editable = index.column() == kName || index.column() == kNote;
  return QAbstractTableModel::flags(index) | (editable ? Qt::ItemIsEditable : Qt::NoItemFlags);
}

QVariant RunListModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= kColumnCount) return {};
  const QString heads[] = {QString(), tr("Run"), tr("Subject"), tr("Date"), tr("Note")};
  return heads[section];
}

}  // namespace dachlast::ui
