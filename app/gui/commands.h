#pragma once

#include <QKeySequence>
#include <QList>
#include <QMap>
#include <QString>
#include <QStringList>

class QAction;

namespace dachlast::gui {

/// A command of the menus and the key that gives it.
struct Command {
  QString id;
  QString title;
  QKeySequence standard;
  QKeySequence key;
};

/// The commands of one window. Keys can be changed; what differs from the standard is kept by id, so that it survives other
/// languages and other menus.
class Commands {
 public:
  /// Takes the action's shortcut as the standard.
  QAction* add(const QString& id, QAction* action);

  /// Gives every command its standard key, or the changed one.
  void apply(const QMap<QString, QKeySequence>& changed) const;

  QList<Command> list() const;

 private:
  struct Entry {
    QString id;
    QString title;  // as added: an action's text may follow what it would do
    QAction* action;
    QKeySequence standard;
  };
  QList<Entry> entries_;
};

/// One line for each key that more than one command has: "Ctrl+B: Use as Baseline, Measure".
QStringList conflicts(const QList<Command>& commands);

}  // namespace dachlast::gui
