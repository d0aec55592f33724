#pragma once

#include <QList>
#include <QObject>

#include "ui/widgets/scenario_form.h"

class QUndoStack;

namespace dachlast::ui {
class ScenariosView;
}

namespace dachlast::gui {

/// Scenarios the reader holds side by side. Pinning and removing can be undone.
class ScenarioPins : public QObject {
  Q_OBJECT

 public:
  ScenarioPins(ui::ScenarioForm& form, ui::ScenariosView& view, QUndoStack& edits, QObject* parent = nullptr);

  /// Those shown, and those of an opened project that cannot be planned here.
  QList<ui::ScenarioFields> pins() const { return pins_ + unplanned_; }
  /// Takes the place of all pins, without an entry among the edits. What cannot be planned is told, and kept for saving.
  void restore(const QList<ui::ScenarioFields>& pins);
  /// Plans them anew, in the words and units of now.
  void showAgain() { setPins(pins_); }

 Q_SIGNALS:
  /// A scenario could not be planned, in a sentence.
  void failed(const QString& reason);

 private:
  void pin();
  void remove(int index);
  void adopt(int index);
  void edit(const QString& what, const QList<ui::ScenarioFields>& pins);
  void setPins(const QList<ui::ScenarioFields>& pins);

  ui::ScenarioForm& form_;
  ui::ScenariosView& view_;
  QUndoStack& edits_;
  QList<ui::ScenarioFields> pins_;
  QList<ui::ScenarioFields> unplanned_;
};

}  // namespace dachlast::gui
