#include "app/gui/languages.h"

#include <QCoreApplication>
#include <QLibraryInfo>
#include <QLocale>
#include <QTranslator>
#include <memory>

namespace dachlast::gui {
namespace {

/// Gives the words of this file their context in translations.
struct LanguageWords {
  Q_DECLARE_TR_FUNCTIONS(Languages)
};

/// One locale a language, so that sliders, fields and sentences write numbers alike: the catalogue of the view-models knows no
/// Swiss or Austrian separators.
QLocale locale_of(const QString& choice) {
  const bool german = choice == QStringLiteral("de") ||
                      (choice != QStringLiteral("en") && QLocale::system().language() == QLocale::German);
  return german ? QLocale(QLocale::German, QLocale::Germany) : QLocale(QLocale::English, QLocale::UnitedStates);
}

/// Lives as long as the application does.
void install(const QLocale& locale, const QString& name, const QString& folder) {
  auto translator = std::make_unique<QTranslator>();
  if (translator->load(locale, name, QStringLiteral("_"), folder)) {
    translator->setParent(QCoreApplication::instance());
    QCoreApplication::installTranslator(translator.release());
  }
}

}  // namespace

QStringList language_choices() {
  return {QStringLiteral("system"), QStringLiteral("en"), QStringLiteral("de")};
}

QString language_title(const QString& choice) {
  if (choice == QStringLiteral("en")) return QStringLiteral("English");
  if (choice == QStringLiteral("de")) return QStringLiteral("Deutsch");
  return LanguageWords::tr("As the system");
}

void speak(const QString& choice) {
  const QLocale locale = locale_of(choice);
  QLocale::setDefault(locale);
  if (locale.language() == QLocale::German)
    install(locale, QStringLiteral("qtbase"), QLibraryInfo::path(QLibraryInfo::TranslationsPath));
  // English too: it holds the plural forms.
  install(locale, QStringLiteral("dachlast"), QStringLiteral(":/languages"));
}

}  // namespace dachlast::gui
