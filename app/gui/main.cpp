#include <QApplication>
#include <QCommandLineParser>

#include "app/gui/main_window.h"

int main(int argc, char** argv) {
  QApplication app(argc, argv);
  QApplication::setApplicationName(QStringLiteral("dachlast-gui"));
  QApplication::setApplicationDisplayName(QStringLiteral("Dachlast"));
  QApplication::setApplicationVersion(QStringLiteral(DACHLAST_VERSION));
  QCommandLineParser parser;
  parser.setApplicationDescription(
      QApplication::translate("main", "Shows measured runs and plans the memory of transformer models."));
  parser.addHelpOption();
  parser.addVersionOption();
  parser.addPositionalArgument(QStringLiteral("files"), QApplication::translate("main", "Runs and models to open."),
                               QStringLiteral("[files…]"));
  parser.process(app);
  dachlast::gui::MainWindow window;
  window.show();
  for (const QString& file : parser.positionalArguments()) window.open(file);
  return QApplication::exec();
}
