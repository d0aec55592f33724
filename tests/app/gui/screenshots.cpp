// Writes a picture of every page of the window into a folder, for people to look through:
//   dachlast_screenshots FOLDER [RUN.dachlast]
// Themes and sizes are all taken in one call; set QT_SCALE_FACTOR for other scalings.
#include <fmt/core.h>

#include <QApplication>
#include <QDir>
#include <QStyleFactory>
#include <QTimer>

#include "app/gui/main_window.h"
#include "ui/paint/theme.h"

namespace {

using dachlast::gui::MainWindow;
using dachlast::ui::Theme;

struct Look {
  Theme theme;
  const char* name;
};

constexpr Look kLooks[] = {{Theme::kLight, "light"}, {Theme::kDark, "dark"}};
constexpr QSize kSizes[] = {{1280, 800}, {1024, 640}};

// The heatmap comes from another thread: long enough for it on a busy machine.
constexpr int kSettleMs = 1500;

void settle() {
  QEventLoop loop;
  QTimer::singleShot(kSettleMs, &loop, &QEventLoop::quit);
  loop.exec();
}

bool take(MainWindow& window, const QDir& folder, const Look& look, QSize size) {
  window.resize(size);
  bool written = true;
  for (const QString& page : window.pageTitles()) {
    window.showPage(page);
    settle();
    const QString name = QStringLiteral("%1-%2-%3.png")
                             .arg(page.toLower().replace(u' ', u'-'), QLatin1String(look.name))
                             .arg(size.width());
    written = window.grab().save(folder.filePath(name)) && written;
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  QApplication app(argc, argv);
  if (argc < 2) {
    fmt::print("usage: dachlast_screenshots FOLDER [RUN.dachlast]\n");
    return 2;
  }
  const QDir folder(QString::fromLocal8Bit(argv[1]));
  if (!folder.mkpath(QStringLiteral("."))) return 1;
  QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  bool written = true;
  for (const Look& look : kLooks) {
    QApplication::setPalette(dachlast::ui::palette_of(look.theme));
    for (const QSize size : kSizes) {
      MainWindow window;
      if (argc > 2) window.open(QString::fromLocal8Bit(argv[2]));
      window.show();
      written = take(window, folder, look, size) && written;
    }
  }
  return written ? 0 : 1;
}
