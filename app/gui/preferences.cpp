#include "app/gui/preferences.h"

#include <QApplication>
#include <QPalette>
#include <QSettings>

#include "app/gui/languages.h"
#include "core/viewmodel/capacity_units.h"
#include "ui/paint/theme.h"

namespace dachlast::gui {
namespace {

constexpr const char* kListedRoofs = "datasheet";
constexpr const char* kThemes[] = {"system", "light", "dark"};

ThemeChoice theme_from(const QString& name) {
  for (int i = 0; i < 3; ++i)
    if (name == QLatin1String(kThemes[i])) return static_cast<ThemeChoice>(i);
  return ThemeChoice::kSystem;
}

QMap<QString, QKeySequence> read_keys(const QSettings& stored) {
  QMap<QString, QKeySequence> keys;
  const QMap<QString, QVariant> entries = stored.value(QStringLiteral("keys")).toMap();
  for (auto it = entries.cbegin(); it != entries.cend(); ++it)
    keys[it.key()] = QKeySequence::fromString(it->toString(), QKeySequence::PortableText);
  return keys;
}

}  // namespace

Preferences read_preferences(const QSettings& stored) {
  Preferences preferences;
  preferences.theme = theme_from(stored.value(QStringLiteral("theme")).toString());
  if (const QString language = stored.value(QStringLiteral("language")).toString();
      language_choices().contains(language))
    preferences.language = language;
  if (const auto units = viewmodel::units_from_code(stored.value(QStringLiteral("units")).toString().toStdString()))
    preferences.units = *units;
  const int threshold = stored.value(QStringLiteral("threshold")).toInt();
  if (threshold > 0 && threshold < 100) preferences.threshold_percent = threshold;
  if (stored.value(QStringLiteral("roofs")).toString() == QLatin1String(kListedRoofs))
    preferences.roofs = RoofSource::kListed;
  preferences.keys = read_keys(stored);
  return preferences;
}

void write_preferences(QSettings& stored, const Preferences& preferences) {
  stored.setValue(QStringLiteral("theme"), QLatin1String(kThemes[static_cast<int>(preferences.theme)]));
  stored.setValue(QStringLiteral("language"), preferences.language);
  const std::string_view units = viewmodel::code_of(preferences.units);
  stored.setValue(QStringLiteral("units"), QString::fromLatin1(units.data(), static_cast<qsizetype>(units.size())));
  stored.setValue(QStringLiteral("threshold"), preferences.threshold_percent);
  stored.setValue(QStringLiteral("roofs"),
                  QLatin1String(preferences.roofs == RoofSource::kListed ? kListedRoofs : "measured"));
  QMap<QString, QVariant> keys;
  for (auto it = preferences.keys.cbegin(); it != preferences.keys.cend(); ++it)
    keys[it.key()] = it->toString(QKeySequence::PortableText);
  stored.setValue(QStringLiteral("keys"), keys);
}

void apply_theme(ThemeChoice theme) {
  QApplication::setPalette(theme == ThemeChoice::kSystem
                               ? QPalette()
                               : ui::palette_of(theme == ThemeChoice::kDark ? ui::Theme::kDark : ui::Theme::kLight));
}

}  // namespace dachlast::gui
