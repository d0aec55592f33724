// Writes a picture of every page of the window into a folder, for people to look through:
//   dachlast_screenshots FOLDER [RUN.dachlast...]
// With several runs the first is the baseline and the last is shown.
// Themes and sizes are all taken in one call; set QT_SCALE_FACTOR for other scalings, DACHLAST_LANG for other languages and
// DACHLAST_PAGE for one page alone ("timeline").
#include <fmt/core.h>

#include <QApplication>
#include <QDir>
#include <QStyleFactory>
#include <QTabWidget>
#include <QTimer>

#include "app/gui/help_dialog.h"
#include "app/gui/languages.h"
#include "app/gui/main_window.h"
#include "app/gui/recommend_controller.h"
#include "app/gui/report_controller.h"
#include "app/gui/run_presenter.h"
#include "app/gui/run_reader.h"
#include "app/gui/settings_dialog.h"
#include "ui/paint/theme.h"
#include "ui/views/report_view.h"
#include "ui/views/scenarios_view.h"

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
constexpr int kMostRounds = 60;

void wait(int ms) {
  QEventLoop loop;
  QTimer::singleShot(ms, &loop, &QEventLoop::quit);
  loop.exec();
}

/// Until what runs in the background is shown.
void settle(MainWindow& window) {
  wait(kSettleMs);
  const auto& search = *window.findChild<dachlast::gui::RecommendController*>();
  for (int rounds = 0; search.searching() && rounds < kMostRounds; ++rounds) wait(kSettleMs / 5);
  window.reporter().waitForDone();
  wait(kSettleMs / 5);
  const auto& report = *window.findChild<dachlast::ui::ReportView*>();
  for (int rounds = 0; report.isVisible() && report.plainText().isEmpty() && rounds < kMostRounds; ++rounds)
    wait(kSettleMs / 5);
}

/// The dialogs of the window, beside its pages.
bool take_dialogs(MainWindow& window, const QDir& folder, const Look& look) {
  dachlast::gui::SettingsDialog settings({}, window.commands().list(), &window);
  settings.show();
  settle(window);
  bool written = settings.grab().save(folder.filePath(QStringLiteral("settings-%1.png").arg(QLatin1String(look.name))));
  auto* tabs = settings.findChild<QTabWidget*>();
  tabs->setCurrentIndex(1);
  settle(window);
  written =
      settings.grab().save(folder.filePath(QStringLiteral("keys-%1.png").arg(QLatin1String(look.name)))) && written;
  dachlast::gui::HelpDialog help(window.commands().list(), &window);
  help.setAttribute(Qt::WA_DeleteOnClose, false);
  help.show();
  settle(window);
  return help.grab().save(folder.filePath(QStringLiteral("help-%1.png").arg(QLatin1String(look.name)))) && written;
}

bool take(MainWindow& window, const QDir& folder, const Look& look, QSize size) {
  window.resize(size);
  bool written = true;
  const QStringList titles = window.pageTitles();
  const QString only = qEnvironmentVariable("DACHLAST_PAGE");
  for (qsizetype i = 0; i < titles.size(); ++i) {
    if (!only.isEmpty() && MainWindow::pageIds().value(i) != only) continue;
    window.showPage(titles[i]);
    settle(window);
    const QString name =
        QStringLiteral("%1-%2-%3.png").arg(MainWindow::pageIds().value(i), QLatin1String(look.name)).arg(size.width());
    written = window.grab().save(folder.filePath(name)) && written;
  }
  return written;
}

}  // namespace

int main(int argc, char** argv) {
  QApplication app(argc, argv);
  if (argc < 2) {
    fmt::print("usage: dachlast_screenshots FOLDER [RUN.dachlast...]\n");
    return 2;
  }
  const QDir folder(QString::fromLocal8Bit(argv[1]));
  if (!folder.mkpath(QStringLiteral("."))) return 1;
  dachlast::gui::speak(qEnvironmentVariable("DACHLAST_LANG", QStringLiteral("en")));
  QApplication::setStyle(QStyleFactory::create(QStringLiteral("Fusion")));
  bool written = true;
  for (const Look& look : kLooks) {
    QApplication::setPalette(dachlast::ui::palette_of(look.theme));
    for (const QSize size : kSizes) {
      MainWindow window;
      for (int i = 2; i < argc; ++i) window.open(QString::fromLocal8Bit(argv[i]));
      window.reader().waitForDone();
      if (argc > 3) window.runs().setBaseline(0);
      window.presenter().select(QStringLiteral("decode/attention"));
      Q_EMIT window.findChild<dachlast::ui::ScenariosView*>()->pinRequested();
      window.show();
      written = take(window, folder, look, size) && written;
      if (size == kSizes[0] && !qEnvironmentVariableIsSet("DACHLAST_PAGE"))
        written = take_dialogs(window, folder, look) && written;
    }
  }
  return written ? 0 : 1;
}
