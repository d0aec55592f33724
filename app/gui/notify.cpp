#include "app/gui/notify.h"

#include <QApplication>

#ifdef DACHLAST_HAS_DBUS
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCall>
#include <QVariantMap>
#endif

namespace dachlast::gui {
namespace {

#ifdef DACHLAST_HAS_DBUS
constexpr int kUntilTheServerLikes = -1;

void send_message(const QString& title, const QString& text) {
  const QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  QDBusMessage message = QDBusMessage::createMethodCall(
      QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("/org/freedesktop/Notifications"),
      QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("Notify"));
  // The body may be read as markup: names of files stay text.
  message << QStringLiteral("Dachlast") << 0u << QStringLiteral("dachlast") << title << text.toHtmlEscaped()
          << QStringList() << QVariantMap{{QStringLiteral("desktop-entry"), QStringLiteral("dachlast")}}
          << kUntilTheServerLikes;
  bus.asyncCall(message);
}
#else
void send_message(const QString&, const QString&) {}
#endif

}  // namespace

void notify(QWidget& window, const QString& title, const QString& text) {
  send_message(title, text);
  QApplication::alert(&window);
}

}  // namespace dachlast::gui
