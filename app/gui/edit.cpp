#include "app/gui/edit.h"

#include <QDateTime>

namespace dachlast::gui {
namespace {

constexpr qint64 kOneGestureMs = 800;

}  // namespace

Edit::Edit(const QString& text, Action redo, Action undo, Key key)
    : QUndoCommand(text),
      redo_(std::move(redo)),
      undo_(std::move(undo)),
      key_(key),
      made_ms_(QDateTime::currentMSecsSinceEpoch()) {}

bool Edit::mergeWith(const QUndoCommand* other) {
  const auto* next = static_cast<const Edit*>(other);  // Qt asks only commands of one id
  if (key_ == kAlone || next->made_ms_ - made_ms_ > kOneGestureMs) return false;
  redo_ = next->redo_;
  made_ms_ = next->made_ms_;
  return true;
}

}  // namespace dachlast::gui
