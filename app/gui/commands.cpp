#include "app/gui/commands.h"

#include <QAction>

namespace dachlast::gui {
namespace {

/// As a menu's entry reads without its marks: "Export Report".
QString plain_title(const QAction& action) {
  QString title = action.text();
  title.remove(u'&').remove(u'…');
  return title;
}

}  // namespace

QAction* Commands::add(const QString& id, QAction* action) {
  entries_ << Entry{id, plain_title(*action), action, action->shortcut()};
  return action;
}

void Commands::apply(const QMap<QString, QKeySequence>& changed) const {
  for (const Entry& entry : entries_) entry.action->setShortcut(changed.value(entry.id, entry.standard));
}

QList<Command> Commands::list() const {
  QList<Command> list;
  for (const Entry& entry : entries_) list << Command{entry.id, entry.title, entry.standard, entry.action->shortcut()};
  return list;
}

QStringList conflicts(const QList<Command>& commands) {
  QMap<QString, QStringList> by_key;
  for (const Command& command : commands)
    if (!command.key.isEmpty()) by_key[command.key.toString(QKeySequence::NativeText)] << command.title;
  QStringList lines;
  for (auto it = by_key.cbegin(); it != by_key.cend(); ++it)
    if (it->size() > 1) lines << QStringLiteral("%1: %2").arg(it.key(), it->join(QStringLiteral(", ")));
  return lines;
}

}  // namespace dachlast::gui
