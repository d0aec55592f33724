#pragma once

#include "core/viewmodel/table.h"
#include "ui/widgets/page.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSpinBox;

namespace dachlast::ui {

class DataTable;

/// What to measure, as typed.
struct MeasureFields {
  QString model;
  QString contexts;  // "512,4096"
  QString batches;   // "1,8"
  QString weights;   // empty: as published
  QString cache;     // empty: as the weights
  int repeats = 0;   // 0: until the median is known
  QString layout;    // of the cache, as --kv spells it; empty: contiguous
  enum class Spans : std::uint8_t { kFirstSteps, kEveryStep } spans = Spans::kFirstSteps;

  bool operator==(const MeasureFields&) const = default;
};

/// One page to measure: what, what it will take, and how it goes.
class MeasureView : public Page {
  Q_OBJECT

 public:
  MeasureView(const QStringList& models, const QStringList& types, QWidget* parent = nullptr);

  MeasureFields fields() const;
  void setFields(const MeasureFields& fields);

  /// What the fields would take: points, memory, checks of the computer.
  void showPreflight(const QString& answer, const viewmodel::Table& points, const viewmodel::Table& memory);
  void showProblem(const QString& text);
  void setChecks(const viewmodel::Table& checks);

  enum class State { kIdle, kRunning };
  void setState(State state);
  void showProgress(const QString& what, int index, int count);
  void showResults(const viewmodel::Table& phases);

 Q_SIGNALS:
  void changed(const dachlast::ui::MeasureFields& fields);
  void measureRequested(const dachlast::ui::MeasureFields& fields);
  void cancelRequested();

 private:
  QWidget* makeForm(const QStringList& models, const QStringList& types);
  QWidget* makeJob();

  QComboBox* model_;
  QLineEdit* contexts_;
  QLineEdit* batches_;
  QComboBox* weights_;
  QComboBox* cache_;
  QSpinBox* repeats_;
  QComboBox* layout_;
  QCheckBox* every_step_;
  QPushButton* measure_;
  QPushButton* cancel_;
  QProgressBar* progress_;
  QLabel* doing_;
  DataTable* results_;
  DataTable* points_;
  DataTable* memory_;
  DataTable* checks_;
  bool silent_ = false;
};

}  // namespace dachlast::ui
