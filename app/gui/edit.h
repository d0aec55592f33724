#pragma once

#include <QUndoCommand>
#include <functional>

namespace dachlast::gui {

/// One change that can be taken back, told by what to do and how to undo it. Changes with the same key that follow one another
/// within a moment, as those of a dragged slider do, are one.
class Edit : public QUndoCommand {
 public:
  using Action = std::function<void()>;

  /// What edits may join.
  enum Key { kAlone = -1, kScenario = 1 };

  Edit(const QString& text, Action redo, Action undo, Key key = kAlone);

  void redo() override { redo_(); }
  void undo() override { undo_(); }
  int id() const override { return key_; }
  bool mergeWith(const QUndoCommand* other) override;

 private:
  Action redo_;
  Action undo_;
  Key key_;
  qint64 made_ms_;
};

}  // namespace dachlast::gui
