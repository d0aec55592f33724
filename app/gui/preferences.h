#pragma once

#include <QKeySequence>
#include <QMap>
#include <QString>
#include <cstdint>

#include "core/viewmodel/language.h"
#include "core/workbench/listed_roofs.h"

class QSettings;

namespace dachlast::gui {

enum class ThemeChoice : std::uint8_t { kSystem, kLight, kDark };

/// What a reader may choose about the program; defaults follow the system.
struct Preferences {
  ThemeChoice theme = ThemeChoice::kSystem;
  QString language = QStringLiteral("system");  // takes effect at the next start
  viewmodel::CapacityUnits units = viewmodel::CapacityUnits::kIec;
  int threshold_percent = 0;                 // utilisation that names a bound; 0: what each run says
  RoofSource roofs = RoofSource::kMeasured;  // that shares refer to
  QMap<QString, QKeySequence> keys;          // that differ from the standard, by command

  bool operator==(const Preferences&) const = default;
};

/// What cannot be read, or is out of range, takes its default.
Preferences read_preferences(const QSettings& stored);
void write_preferences(QSettings& stored, const Preferences& preferences);

/// Colours every window and chart of the program.
void apply_theme(ThemeChoice theme);

}  // namespace dachlast::gui
