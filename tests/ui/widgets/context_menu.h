#pragma once

#include <QApplication>
#include <QContextMenuEvent>
#include <QMenu>
#include <QTimer>

namespace dachlast::ui {

/// Right-clicks and chooses an entry by its text, as a person does; entries of submenus too. False where there is none of this text.
inline bool choose_from_menu(QWidget& widget, QPoint at, const QString& entry) {
  bool found = false;
  QTimer::singleShot(0, &widget, [&] {
    for (QWidget* top : QApplication::topLevelWidgets()) {
      auto* menu = qobject_cast<QMenu*>(top);
      if (menu == nullptr) continue;
      for (QAction* action : menu->findChildren<QAction*>())
        if (!found && action->text() == entry) {  // a submenu is a window of its own: its entries are met twice
          found = true;
          action->trigger();
        }
      menu->close();
    }
  });
  QContextMenuEvent event(QContextMenuEvent::Mouse, at, widget.mapToGlobal(at));
  QApplication::sendEvent(&widget, &event);
  return found;
}

}  // namespace dachlast::ui
