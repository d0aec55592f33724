#pragma once

#include <QList>
#include <QPointer>
#include <QWidget>

namespace dachlast::gui {

/// Shows one chart of a window alone: hides everything beside it on its way up to the window, and brings it back as it was.
class MaximisedChart {
 public:
  explicit MaximisedChart(QWidget* window) : window_(window) {}

  bool active() const { return !hidden_.isEmpty(); }
  /// Hides what stands beside `chart`.
  void show(QWidget* chart);
  void restore();

 private:
  QWidget* window_;
  QList<QPointer<QWidget>> hidden_;
};

}  // namespace dachlast::gui
