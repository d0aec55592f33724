#pragma once

#include <QColor>
#include <cstdint>

#include "core/figure/figure.h"

class QPalette;

namespace dachlast::ui {

enum class Theme : std::uint8_t { kLight, kDark };

/// The theme a palette belongs to: dark where its window is darker than its text.
Theme theme_of(const QPalette& palette);

/// The colour of a role, the same as in reports and files.
QColor colour(figure::Role role, Theme theme);

/// A palette of the program's own colours, for those who do not follow the system.
QPalette palette_of(Theme theme);

}  // namespace dachlast::ui
