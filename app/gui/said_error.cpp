#include "app/gui/said_error.h"

#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::gui {

QString said_error(const Error& error) {
  const QString text = QStringLiteral("%1: %2").arg(ui::said(error.subject()), ui::said(error.reason()));
  return error.way_out().empty() ? text : text + u' ' + ui::said(error.way_out());
}

}  // namespace dachlast::gui
