#pragma once

#include <QAbstractTableModel>
#include <QList>

#include "core/figure/figure.h"

namespace dachlast::ui {

/// An open run as the list of runs shows it.
struct RunEntry {
  QString name;     // the reader may change it
  QString subject;  // model, device
  QString date;
  QString note;  // the reader's own words
  QString file;
  figure::Role role = figure::Role::kSeries1;
  figure::MarkerShape shape = figure::MarkerShape::kCircle;
  enum class Standing : std::uint8_t { kOther, kBaseline } standing = Standing::kOther;
};

/// Open runs: a star at the baseline, a mark in the run's colour and shape, names and notes that can be edited. Edits are told,
/// not done.
class RunListModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kBaseline, kName, kSubject, kDate, kNote, kColumnCount };

  explicit RunListModel(QObject* parent = nullptr);

  void setRuns(const QList<RunEntry>& runs);
  const QList<RunEntry>& runs() const { return runs_; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 Q_SIGNALS:
  void renamed(int row, const QString& name);
  void noted(int row, const QString& note);

 private:
  QVariant textOf(const RunEntry& run, int column) const;

  QList<RunEntry> runs_;
};

}  // namespace dachlast::ui
