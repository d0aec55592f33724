#pragma once

#include <QString>
#include <string>

#include "core/figure/figure.h"
#include "core/viewmodel/table.h"

class QWidget;

namespace dachlast::gui {

/// Each asks where to and returns what to tell: where it went, or why not; empty where the reader changed their mind.
/// `kind`: "png", drawn in the parent's theme at `scale` pixels a unit, or "svg".
QString save_figure(QWidget* parent, const figure::Figure& figure, const QString& kind, double scale);
QString save_table(QWidget* parent, const viewmodel::Table& table, const QString& kind);
QString save_text(QWidget* parent, const QString& title, const QString& name, const QString& filter,
                  const std::string& text);

/// Writes bytes so that the file is there whole or not at all; returns what to tell.
QString write_file(const QString& path, const QByteArray& bytes);

}  // namespace dachlast::gui
