// Projects in the window: saving, opening, what is unsaved, recovery after a crash.
#include <gtest/gtest.h>

#include <QAbstractButton>
#include <QFile>
#include <QMessageBox>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <filesystem>

#include "app/gui/main_window.h"
#include "app/gui/notice_bar.h"
#include "app/gui/project_controller.h"
#include "app/gui/run_reader.h"
#include "core/base/error.h"
#include "core/store/run_file.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "ui/panels/runs_panel.h"
#include "ui/views/scenarios_view.h"
#include "ui/widgets/scenario_form.h"

namespace dachlast::gui {
namespace {

class ProjectsTest : public testing::Test {
 protected:
  ProjectsTest() { qputenv("XDG_STATE_HOME", folder_.path().toUtf8()); }

  QString write(const QString& name) {
    const QString path = folder_.filePath(name);
    RunWriter::create(path.toStdString(), test::sample_run(), IfExists::kOverwrite).finish();
    return path;
  }
  /// Two runs with names, a note, a baseline, and a pinned scenario.
  void fill(MainWindow& window) {
    open_in(window, write("before.dachlast"));
    open_in(window, write("after.dachlast"));
    Q_EMIT window.findChild<ui::RunsPanel*>()->renamed(0, "reference");
    Q_EMIT window.findChild<ui::RunsPanel*>()->noted(1, "tiles of 64");
    window.runs().setBaseline(0);
    Q_EMIT window.findChild<ui::ScenariosView*>()->pinRequested();
  }
  QString project() const { return folder_.filePath("a.dachlast-project"); }

  QTemporaryDir folder_;
};

TEST_F(ProjectsTest, OpenBringsBackWhatWasSaved) {
  {
    MainWindow window;
    fill(window);
    window.showPage("Compare");
    window.project().save(project());
  }
  MainWindow window;
  window.show();
  open_in(window, project());
  ASSERT_EQ(window.runs().runs().size(), 2u);
  EXPECT_EQ(window.runs().runs()[0].name, "reference");
  EXPECT_EQ(window.runs().runs()[1].note, "tiles of 64");
  EXPECT_EQ(window.runs().baseline(), 0);
  EXPECT_EQ(window.runs().current(), 1);
  EXPECT_EQ(window.findChild<ui::ScenariosView*>()->count(), 1);
  EXPECT_FALSE(window.isWindowModified());
  EXPECT_TRUE(window.windowTitle().startsWith("a[*]"));
}

TEST_F(ProjectsTest, TheTitleTellsWhatIsUnsaved) {
  MainWindow window;
  EXPECT_FALSE(window.isWindowModified());
  open_in(window, write("before.dachlast"));
  EXPECT_FALSE(window.isWindowModified()) << "a run that is looked at can be opened again";
  Q_EMIT window.findChild<ui::RunsPanel*>()->noted(0, "driver 580");
  EXPECT_TRUE(window.isWindowModified());
  window.project().save(project());
  EXPECT_FALSE(window.isWindowModified());
  window.edits().undo();
  EXPECT_TRUE(window.isWindowModified());
  window.edits().redo();
  EXPECT_FALSE(window.isWindowModified());
}

TEST_F(ProjectsTest, AScenarioIsAChangeOfASavedProject) {
  MainWindow window;
  window.project().save(project());
  auto& form = *window.findChild<ui::ScenarioForm*>();
  ui::ScenarioFields fields = form.fields();
  fields.batch_size = 16;
  form.setFields(fields);
  Q_EMIT form.changed(fields);
  EXPECT_TRUE(window.isWindowModified());
  window.project().save(project());
  MainWindow other;
  open_in(other, project());
  EXPECT_EQ(other.findChild<ui::ScenarioForm*>()->fields(), fields);
}

TEST_F(ProjectsTest, ARunOnAnUnpluggedDiskStaysListed) {
  {
    MainWindow window;
    fill(window);
    window.project().save(project());
  }
  std::filesystem::rename(folder_.filePath("before.dachlast").toStdString(), folder_.filePath("away").toStdString());
  {
    MainWindow window;
    open_in(window, project());
    ASSERT_EQ(window.runs().runs().size(), 1u);
    EXPECT_EQ(window.runs().runs()[0].note, "tiles of 64");
    window.project().save(project());
  }
  std::filesystem::rename(folder_.filePath("away").toStdString(), folder_.filePath("before.dachlast").toStdString());
  MainWindow window;
  open_in(window, project());
  ASSERT_EQ(window.runs().runs().size(), 2u);
  ASSERT_NE(window.runs().base(), nullptr);
  EXPECT_EQ(window.runs().base()->name, "reference");
}

TEST_F(ProjectsTest, ADamagedProjectLeavesTheWindowAsItWas) {
  MainWindow window;
  open_in(window, write("before.dachlast"));
  QFile file(project());
  ASSERT_TRUE(file.open(QIODevice::WriteOnly));
  file.write("{\"schema\": \"dachlast.project/1\", \"runs\": 7}");
  file.close();
  open_in(window, project());
  EXPECT_EQ(window.runs().runs().size(), 1u);
  EXPECT_TRUE(window.project().file().isEmpty());
}

TEST_F(ProjectsTest, ClosingAsksOnceAboutUnsavedChanges) {
  MainWindow window;
  fill(window);
  window.show();
  int asked = 0;
  QTimer press;
  QObject::connect(&press, &QTimer::timeout, [&] {
    auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
    if (box == nullptr) return;
    ++asked;
    box->button(asked == 1 ? QMessageBox::Cancel : QMessageBox::Discard)->click();
  });
  press.start(20);
  EXPECT_FALSE(window.close());
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(window.close());
  EXPECT_EQ(asked, 2);
}

TEST_F(ProjectsTest, AFolderThatCannotBeWrittenKeepsTheChangesUnsaved) {
  MainWindow window;
  fill(window);
  EXPECT_THROW(window.project().save(folder_.filePath("no/such/folder/a.dachlast-project")), Error);
  EXPECT_TRUE(window.isWindowModified());
}

/// What a crash leaves: the journal of a process that is gone.
void leave_behind(const QString& file, const Project& project) {
  const std::filesystem::path folder = default_journal_folder();
  {
    ProjectJournal journal(folder);
    journal.write(project, file.toStdString());
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".journal") std::filesystem::copy_file(entry.path(), folder / "1-9999.kept");
  }
  std::filesystem::rename(folder / "1-9999.kept", folder / "1-9999.journal");
}

QPushButton* button_of(const NoticeBar& bar, const QString& text) {
  for (auto* button : bar.findChildren<QPushButton*>())
    if (button->text() == text && !button->isHidden()) return button;
  return nullptr;
}

TEST_F(ProjectsTest, ACrashIsToldOfAndCanBeRestored) {
  Project project;
  project.runs = {{write("before.dachlast").toStdString(), "reference", "driver 580"}};
  project.baseline = project.shown = 0;
  leave_behind(folder_.filePath("lost.dachlast-project"), project);
  MainWindow window;
  window.show();
  window.offerRecovery();
  auto& bar = *window.findChild<NoticeBar*>();
  ASSERT_TRUE(bar.isVisible());
  EXPECT_TRUE(bar.text().contains("lost.dachlast-project"));
  ASSERT_NE(button_of(bar, "Restore"), nullptr);
  button_of(bar, "Restore")->click();
  window.reader().waitForDone();
  ASSERT_EQ(window.runs().runs().size(), 1u);
  EXPECT_EQ(window.runs().runs()[0].note, "driver 580");
  EXPECT_TRUE(window.isWindowModified()) << "it is not saved yet";
  EXPECT_FALSE(bar.isVisible());
  MainWindow another;
  another.offerRecovery();
  EXPECT_TRUE(another.findChild<NoticeBar*>()->isHidden()) << "the first window's journal is in use";
}

TEST_F(ProjectsTest, AnUnchangedWindowLeavesNoJournal) {
  {
    MainWindow window;
    open_in(window, write("before.dachlast"));
  }
  EXPECT_TRUE(left_behind(default_journal_folder()).empty());
}

}  // namespace
}  // namespace dachlast::gui
