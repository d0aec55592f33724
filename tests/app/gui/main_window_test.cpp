#include "app/gui/main_window.h"

#include <gtest/gtest.h>

#include <QDir>
#include <QDropEvent>
#include <QFile>
#include <QMimeData>
#include <QTemporaryDir>
#include <QTest>

#include "tests/app/gui/run_files.h"
#include "ui/views/overview_view.h"
#include "ui/views/plan_view.h"
#include "ui/views/roofline_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {
namespace {

class MainWindowTest : public testing::Test {
 protected:
  MainWindowTest() {
    window_.show();
    window_.activateWindow();
  }
  template <class View>
  View& view() {
    return *window_.findChild<View*>();
  }
  ui::ScenarioFields fields() { return view<ui::ScenarioForm>().fields(); }
  void choose(const ui::ScenarioFields& fields) {
    view<ui::ScenarioForm>().setFields(fields);
    Q_EMIT view<ui::ScenarioForm>().changed(fields);
  }
  MainWindow window_;
};

TEST_F(MainWindowTest, StartsWithAPlan) {
  EXPECT_TRUE(view<ui::PlanView>().hasContent());
  EXPECT_TRUE(view<ui::PlanView>().answer().startsWith("FITS"));
}

TEST_F(MainWindowTest, TheAnswerFollowsTheForm) {
  ui::ScenarioFields changed = fields();
  changed.context_tokens = 131072;
  changed.batch_size = 1024;
  choose(changed);
  EXPECT_TRUE(view<ui::PlanView>().answer().startsWith("DOES NOT FIT"));
}

TEST_F(MainWindowTest, AnUnknownModelIsSaidOnThePage) {
  ui::ScenarioFields changed = fields();
  changed.model = "lama-3.1-8b";
  choose(changed);
  EXPECT_FALSE(view<ui::PlanView>().hasContent());
}

TEST_F(MainWindowTest, ALayoutTheModelCannotBeCutIntoIsSaidOnThePage) {
  ui::ScenarioFields changed = fields();
  changed.tensor_parallel = 3;
  choose(changed);
  EXPECT_FALSE(view<ui::PlanView>().hasContent());
  changed.tensor_parallel = 2;
  choose(changed);
  EXPECT_TRUE(view<ui::PlanView>().hasContent());
}

TEST_F(MainWindowTest, AFileThatIsNoRunIsSaidOnThePage) {
  const QTemporaryDir folder;
  QFile file(folder.filePath("junk.dachlast"));
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write("not a run");
  file.close();
  open_in(window_, file.fileName());
  EXPECT_FALSE(view<ui::OverviewView>().hasContent());
  EXPECT_FALSE(view<ui::RooflineView>().hasContent());
  EXPECT_TRUE(window_.runs().runs().empty());
}

TEST_F(MainWindowTest, PagesHaveShortcuts) {
  ASSERT_TRUE(QTest::qWaitForWindowActive(&window_));
  QTest::keyClick(&window_, Qt::Key_2, Qt::ControlModifier);
  EXPECT_TRUE(view<ui::RooflineView>().isVisible());
  QTest::keyClick(&window_, Qt::Key_1, Qt::ControlModifier);
  EXPECT_TRUE(view<ui::OverviewView>().isVisible());
}

TEST_F(MainWindowTest, AModelDroppedOnTheWindowIsPlanned) {
  const QTemporaryDir folder;
  const QString config = folder.filePath("config.json");
  QFile file(config);
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write(
      R"({"model_type": "gpt2", "n_layer": 2, "n_head": 4, "n_embd": 64, "vocab_size": 1000, "n_positions": 512})");
  file.close();
  QMimeData data;
  data.setUrls({QUrl::fromLocalFile(config)});
  // Qt drops only where something was dragged in before.
  QDragEnterEvent enter({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window_, &enter);
  QDropEvent drop({10, 10}, Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
  QApplication::sendEvent(&window_, &drop);
  EXPECT_TRUE(view<ui::PlanView>().hasContent());
  EXPECT_EQ(fields().model, config);
}

}  // namespace
}  // namespace dachlast::gui
