#include <QApplication>
#include <QCommandLineParser>
#include <QIcon>

#include "app/gui/languages.h"
#include "app/gui/main_window.h"
#include "app/gui/measure_controller.h"
#include "app/gui/preferences.h"
#include "app/gui/settings.h"
#include "ui/words.h"

int main(int argc, char** argv) {
  QApplication app(argc, argv);
  QApplication::setApplicationName(QStringLiteral("dachlast-gui"));
  QApplication::setApplicationDisplayName(QStringLiteral("Dachlast"));
  QApplication::setApplicationVersion(QStringLiteral(DACHLAST_VERSION));
  QApplication::setDesktopFileName(QStringLiteral("dachlast"));
  QApplication::setWindowIcon(QIcon::fromTheme(QStringLiteral("dachlast")));
  const auto preferences = dachlast::gui::read_preferences(dachlast::gui::settings());
  dachlast::gui::speak(preferences.language);
  dachlast::ui::write_memory_in(preferences.units);
  dachlast::gui::apply_theme(preferences.theme);
  QCommandLineParser parser;
  parser.setApplicationDescription(
      QApplication::translate("main", "Shows measured runs and plans the memory of transformer models."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument(QStringLiteral("files"),
                               QApplication::translate("main", "Runs, projects, reports and models to open."),
                               QStringLiteral("[files…]"));
  parser.process(app);
  int code = 0;
  {
    dachlast::gui::MainWindow window;
    window.show();
    window.offerRecovery();
    for (const QString& file : parser.positionalArguments()) window.open(file);
    code = QApplication::exec();
  }
  dachlast::gui::wait_for_measurements();
  return code;
}
