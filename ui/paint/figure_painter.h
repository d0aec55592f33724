#pragma once

#include <QString>

#include "core/figure/figure.h"
#include "ui/paint/theme.h"

class QImage;
class QPainter;

namespace dachlast::ui {

/// Draws a figure in its own units, one a logical pixel. Hit boxes draw nothing.
/// Numbers  text in the application's font at the sizes the figure states.
void paint(QPainter& painter, const figure::Figure& figure, Theme theme);

/// The figure on its surface colour, `scale` pixels a unit.
QImage image_of(const figure::Figure& figure, Theme theme, double scale);

QString to_qt(std::string_view utf8);

}  // namespace dachlast::ui
