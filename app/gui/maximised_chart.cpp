#include "app/gui/maximised_chart.h"

#include <QDockWidget>
#include <QLayout>
#include <QMainWindow>

namespace dachlast::gui {

void MaximisedChart::show(QWidget* chart) {
  if (chart == nullptr) return;
  restore();
  for (QWidget* at = chart; at != nullptr && at != window_; at = at->parentWidget()) {
    const QWidget* parent = at->parentWidget();
    if (parent == nullptr) break;
    for (QObject* child : parent->children()) {
      auto* beside = qobject_cast<QWidget*>(child);
      // Handles of splitters follow the widgets they divide.
      if (beside == nullptr || beside == at || !beside->isVisible() || beside->inherits("QSplitterHandle")) continue;
      hidden_ << beside;
    }
  }
  for (const auto& widget : hidden_) widget->hide();
  chart->setFocus();
}

void MaximisedChart::restore() {
  const QList<QPointer<QWidget>> hidden = hidden_;
  hidden_.clear();
  for (const auto& widget : hidden)
    if (widget) widget->show();
}

}  // namespace dachlast::gui
