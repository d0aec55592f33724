#pragma once

#include <QSettings>

namespace dachlast::gui {

/// What the program remembers of its user: layout, recent files.
inline QSettings settings() {
  return QSettings(QSettings::IniFormat, QSettings::UserScope, QStringLiteral("dachlast"),
                   QStringLiteral("dachlast-gui"));
}

}  // namespace dachlast::gui
