#pragma once

#include <QString>

class QWidget;

namespace dachlast::gui {

/// Tells of something that ended while nobody looked: one message of the desktop, where it has a service for them; the window
/// asks for attention besides. Never waits for the service.
/// Source   Desktop Notifications Specification 1.2, org.freedesktop.Notifications.Notify.
void notify(QWidget& window, const QString& title, const QString& text);

}  // namespace dachlast::gui
