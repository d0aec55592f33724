#include "ui/paint/theme.h"

#include <QPalette>

#include "core/figure/palette.h"

namespace dachlast::ui {

using figure::Role;

Theme theme_of(const QPalette& palette) {
  return palette.color(QPalette::Window).lightness() < palette.color(QPalette::WindowText).lightness() ? Theme::kDark
                                                                                                       : Theme::kLight;
}

QColor colour(Role role, Theme theme) {
  const auto& entry = figure::palette_entry(role);
  const figure::Rgb c = theme == Theme::kDark ? entry.dark : entry.light;
  return {c.r, c.g, c.b};
}

QPalette palette_of(Theme theme) {
  const QColor surface = colour(Role::kSurface, theme);
  const QColor text = colour(Role::kText, theme);
  const QColor muted = colour(Role::kMuted, theme);
  const QColor accent = colour(Role::kMemory, theme);
  // Pages stand on a ground a little off the surface of charts and tables, so that both read as sheets.
  const QColor ground = theme == Theme::kDark ? surface.lighter(125) : surface.darker(104);
  QPalette palette;
  for (const auto role : {QPalette::Window, QPalette::Button, QPalette::AlternateBase}) palette.setColor(role, ground);
  for (const auto role : {QPalette::Base, QPalette::ToolTipBase}) palette.setColor(role, surface);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText, QPalette::ToolTipText})
    palette.setColor(role, text);
  palette.setColor(QPalette::PlaceholderText, muted);
  palette.setColor(QPalette::Mid, colour(Role::kGrid, theme));
  palette.setColor(QPalette::Highlight, accent);
  palette.setColor(QPalette::HighlightedText, surface);
  palette.setColor(QPalette::Link, accent);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    palette.setColor(QPalette::Disabled, role, muted);
  return palette;
}

}  // namespace dachlast::ui
