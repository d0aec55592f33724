// Every control has a name that is read aloud, and Tab goes where the eye goes.
#include <gtest/gtest.h>

#include <QAccessible>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QSpinBox>
#include <QTabBar>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/preferences.h"
#include "app/gui/settings_dialog.h"
#include "core/store/run_file.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "ui/views/scenarios_view.h"

namespace dachlast::gui {
namespace {

/// Parts of a control that speaks for them, and frames that hold others.
bool is_part(const QWidget& widget) {
  const QWidget* parent = widget.parentWidget();
  if (qobject_cast<const QLineEdit*>(&widget) != nullptr)
    return qobject_cast<const QComboBox*>(parent) != nullptr ||
           qobject_cast<const QAbstractSpinBox*>(parent) != nullptr;
  if (const auto* label = qobject_cast<const QLabel*>(&widget)) return label->text().isEmpty();
  return qobject_cast<const QHeaderView*>(&widget) != nullptr || qobject_cast<const QScrollArea*>(&widget) != nullptr ||
         qobject_cast<const QTabBar*>(&widget) != nullptr || widget.objectName().startsWith("qt_");
}

bool takes_focus(const QWidget& widget) {
  return widget.focusPolicy() != Qt::NoFocus && widget.isEnabled() && !is_part(widget);
}

std::string described(const QWidget& widget) {
  std::string path = widget.metaObject()->className();
  for (const QWidget* up = widget.parentWidget(); up != nullptr; up = up->parentWidget())
    path += std::string(" in ") + up->metaObject()->className();
  return path;
}

std::string nameless(const QWidget& root) {
  std::string found;
  for (QWidget* widget : root.findChildren<QWidget*>()) {
    if (!takes_focus(*widget) || !widget->isVisibleTo(&root)) continue;
    QAccessibleInterface* accessible = QAccessible::queryAccessibleInterface(widget);
    if (accessible == nullptr || accessible->text(QAccessible::Name).trimmed().isEmpty())
      found += described(*widget) + '\n';
  }
  return found;
}

/// Where Tab goes back up without going right.
std::string jumps(const QWidget& page) {
  std::string found;
  const QWidget* last = nullptr;
  int steps = 0;
  for (QWidget* widget = page.nextInFocusChain(); widget != &page && steps < 2000;
       widget = widget->nextInFocusChain(), ++steps) {
    if (!page.isAncestorOf(widget) || !takes_focus(*widget) || (widget->focusPolicy() & Qt::TabFocus) == 0 ||
        !widget->isVisibleTo(&page))
      continue;
    if (last != nullptr) {
      const QPoint before = last->mapTo(&page, QPoint(0, 0));
      const QPoint after = widget->mapTo(&page, QPoint(0, 0));
      if (after.y() + widget->height() <= before.y() && after.x() <= before.x())
        found += described(*last) + " -> " + described(*widget) + '\n';
    }
    last = widget;
  }
  return found;
}

class Accessibility : public testing::Test {
 protected:
  void fill() {
    const QString path = folder_.filePath("run.dachlast");
    auto run = test::sample_run();
    RunWriter writer = RunWriter::create(path.toStdString(), run, IfExists::kOverwrite);
    for (const MeasuredPoint& point : run.points) writer.add_point(point, {});
    writer.finish();
    QFile::copy(path, folder_.filePath("other.dachlast"));
    open_in(window_, path);
    open_in(window_, folder_.filePath("other.dachlast"));
    Q_EMIT window_.findChild<ui::ScenariosView*>()->pinRequested();
  }

  QTemporaryDir folder_;
  MainWindow window_;
};

TEST_F(Accessibility, EveryControlOfEveryPageHasAName) {
  window_.show();
  for (int round = 0; round < 2; ++round) {  // empty, then filled
    for (const QString& page : window_.pageTitles()) {
      window_.showPage(page);
      QTest::qWait(10);
      EXPECT_EQ(nameless(window_), "") << page.toStdString();
    }
    fill();
  }
}

TEST_F(Accessibility, EveryControlOfTheDocksHasAName) {
  window_.show();
  fill();
  for (QDockWidget* dock : window_.docks().closable()) {
    dock->show();
    dock->raise();
    QTest::qWait(10);
    EXPECT_EQ(nameless(*dock), "") << dock->objectName().toStdString();
  }
}

TEST_F(Accessibility, EveryControlOfTheSettingsHasAName) {
  SettingsDialog dialog({}, window_.commands().list());
  dialog.show();
  EXPECT_EQ(nameless(dialog), "");
}

TEST_F(Accessibility, TabFollowsTheEye) {
  window_.show();
  fill();
  for (const QString& page : window_.pageTitles()) {
    window_.showPage(page);
    QTest::qWait(10);
    EXPECT_EQ(jumps(*window_.centralWidget()), "") << page.toStdString();
  }
}

}  // namespace
}  // namespace dachlast::gui
