// Pages, docks and panels with runs open: selection, filters, comparison, undo.
#include <gtest/gtest.h>

#include <QDockWidget>
#include <QImage>
#include <QListWidget>
#include <QSettings>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

#include "app/gui/main_window.h"
#include "app/gui/run_presenter.h"
#include "core/workbench/workbench.h"
#include "reports/csv.h"
#include "reports/svg.h"
#include "tests/app/gui/run_files.h"
#include "tests/support/sample_run.h"
#include "ui/models/run_list_model.h"
#include "ui/paint/figure_painter.h"
#include "ui/panels/inspector_panel.h"
#include "ui/panels/runs_panel.h"
#include "ui/views/compare_view.h"
#include "ui/views/kv_cache_page.h"
#include "ui/views/overview_view.h"
#include "ui/views/roofline_view.h"
#include "ui/views/scenarios_view.h"
#include "ui/views/timeline_view.h"
#include "ui/widgets/chip_bar.h"
#include "ui/widgets/data_table.h"

namespace dachlast::gui {
namespace {

class RunPagesTest : public testing::Test {
 protected:
  RunPagesTest() {
    window_.show();
    window_.activateWindow();
  }
  template <class View>
  View& view() {
    return *window_.findChild<View*>();
  }
  QString write(const QString& name, const dachlast::Run& run) { return write_run(folder_.filePath(name), run); }
  void openTwo() {
    open_in(window_, write("before.dachlast", test::sample_run()));
    auto slow = test::sample_run();
    for (MeasuredPoint& point : slow.points)
      for (double& sample : point.samples_s) sample *= 1.5;
    open_in(window_, write("after.dachlast", slow));
  }

  QTemporaryDir folder_;
  MainWindow window_;
};

TEST_F(RunPagesTest, OneRunFillsItsPages) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  EXPECT_TRUE(view<ui::OverviewView>().hasContent());
  EXPECT_TRUE(view<ui::RooflineView>().hasContent());
  EXPECT_FALSE(view<ui::CompareView>().hasContent());
  EXPECT_FALSE(window_.docks().operations().table().rows.empty());
}

TEST_F(RunPagesTest, ASecondRunFillsTheComparison) {
  openTwo();
  ASSERT_TRUE(QTest::qWaitFor([&] { return view<ui::CompareView>().hasContent(); }, 20'000));
  EXPECT_TRUE(view<ui::CompareView>().answer().startsWith("after: SLOWER"));
}

TEST_F(RunPagesTest, ARunDroppedOnTheComparisonStaysThere) {
  open_in(window_, write("before.dachlast", test::sample_run()));
  window_.showPage("Compare");
  open_in(window_, write("after.dachlast", test::sample_run()));
  EXPECT_TRUE(view<ui::CompareView>().isVisible());
}

TEST_F(RunPagesTest, TheRooflineShowsAsManyOperationsAsCoverAShare) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  auto& page = *window_.findChild<ui::RooflineView*>();
  const auto shown = [&] { return page.findChild<ui::DataTable*>()->table().rows.size(); };
  page.setCoverage(1.0);
  const std::size_t all = shown();
  page.setCoverage(0.1);
  EXPECT_LT(shown(), all);
  EXPECT_GE(shown(), 1U);
}

TEST_F(RunPagesTest, ASelectionHoldsEverywhere) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  window_.presenter().select("decode/attention");
  EXPECT_EQ(view<ui::InspectorPanel>().title(), "attention");
  EXPECT_EQ(view<ui::RooflineView>().findChild<ui::FigureView*>()->selected(), "decode/attention");
  EXPECT_GE(window_.docks().operations().currentDatumRow(), 0);
}

TEST_F(RunPagesTest, AFindingSelectsItsOperation) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  auto* findings = view<ui::OverviewView>().findChild<QListWidget*>();
  ASSERT_GT(findings->count(), 0);
  findings->setCurrentRow(0);
  EXPECT_FALSE(window_.presenter().selected().isEmpty());
}

TEST_F(RunPagesTest, AFilterIsAChipAndCanBeUndone) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  const std::size_t all = window_.docks().operations().table().rows.size();
  window_.presenter().filterPhase(Phase::kDecode);
  EXPECT_EQ(view<ui::ChipBar>().texts(), QStringList{"Decode"});
  EXPECT_LT(window_.docks().operations().table().rows.size(), all);
  window_.edits().undo();
  EXPECT_TRUE(view<ui::ChipBar>().texts().isEmpty());
  EXPECT_EQ(window_.docks().operations().table().rows.size(), all);
}

TEST_F(RunPagesTest, BaselineNameAndNoteCanBeUndone) {
  openTwo();
  auto& panel = view<ui::RunsPanel>();
  Q_EMIT panel.baselineRequested(1);
  EXPECT_EQ(window_.runs().baseline(), 1);
  Q_EMIT panel.renamed(0, "reference");
  Q_EMIT panel.noted(0, "tiles of 64");
  EXPECT_EQ(window_.runs().runs()[0].note, "tiles of 64");
  window_.edits().undo();
  window_.edits().undo();
  window_.edits().undo();
  EXPECT_EQ(window_.runs().runs()[0].name, "before");
  EXPECT_EQ(window_.runs().runs()[0].note, "");
  EXPECT_EQ(window_.runs().baseline(), -1);
}

TEST_F(RunPagesTest, ScenarioEditsCanBeUndone) {
  auto& form = view<ui::ScenarioForm>();
  ui::ScenarioFields changed = form.fields();
  const int before = changed.batch_size;
  changed.batch_size = 16;
  form.setFields(changed);
  Q_EMIT form.changed(changed);
  window_.edits().undo();
  EXPECT_EQ(form.fields().batch_size, before);
}

TEST_F(RunPagesTest, TheTimelineIsReadWhenSomeoneLooks) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  window_.showPage("Timeline");
  EXPECT_TRUE(QTest::qWaitFor([&] { return view<ui::TimelineView>().hasContent(); }, 5000));
}

TEST_F(RunPagesTest, ABrushedTimeFiltersRooflineAndTable) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  window_.showPage("Timeline");
  ASSERT_TRUE(QTest::qWaitFor([&] { return view<ui::TimelineView>().hasContent(); }, 5000));
  const auto n_shown = [&] { return window_.docks().operations().table().rows.size(); };
  const std::size_t n_all = n_shown();
  auto& chart = *view<ui::TimelineView>().findChild<ui::FigureView*>();
  const figure::Plane plane = *chart.figure().plane;
  const int y = static_cast<int>(plane.frame.y) + 30;
  const auto at = [&](double share) { return QPoint(static_cast<int>(plane.frame.x + share * plane.frame.width), y); };
  QTest::mousePress(&chart, Qt::LeftButton, {}, at(0.01));
  QTest::mouseMove(&chart, at(0.5));
  QTest::mouseRelease(&chart, Qt::LeftButton, {}, at(0.99));
  ASSERT_EQ(window_.presenter().filters().size(), 1u);
  EXPECT_EQ(window_.presenter().filters()[0].id, "range");
  EXPECT_LT(n_shown(), n_all);  // attention alone was recorded
  EXPECT_GE(n_shown(), 1u);
  QTest::keyClick(&chart, Qt::Key_Escape);
  EXPECT_TRUE(window_.presenter().filters().empty());
  EXPECT_EQ(n_shown(), n_all);
}

TEST_F(RunPagesTest, TheTimelineGoesOutAsPictureDrawingTableAndTrace) {
  const QString file = write("one.dachlast", test::sample_run());
  open_in(window_, file);
  window_.showPage("Timeline");
  ASSERT_TRUE(QTest::qWaitFor([&] { return view<ui::TimelineView>().hasContent(); }, 5000));
  auto& chart = *view<ui::TimelineView>().findChild<ui::FigureView*>();
  const QImage picture = ui::image_of(chart.figure(), ui::Theme::kLight, 2.0);
  EXPECT_EQ(picture.width(), static_cast<int>(2.0 * chart.figure().size.width));
  EXPECT_NE(reports::svg_file(chart.figure()).find(">Operations<"), std::string::npos);
  const std::string csv = reports::csv_table(chart.data());
  EXPECT_NE(csv.find("\nop,attention,"), std::string::npos) << csv;
  EXPECT_EQ(window_.presenter().timelineFile(), file);  // of which "Save as Chrome trace" writes all spans
  EXPECT_NE(chrome_trace_of(file.toStdString()).find("\"name\":\"attention\""), std::string::npos);
}

TEST_F(RunPagesTest, ARecordingShowsItsKernelsOnTheTimeline) {
  for (const char* name : {"qwen3-8b-sglang-decode.json.gz", "h100-two-gpus.sqlite"}) {
    SCOPED_TRACE(name);
    const QString file = QStringLiteral(DACHLAST_TEST_DATA_DIR "/profiles/") + QString::fromLatin1(name);
    window_.open(file);
    EXPECT_EQ(window_.pageTitles()[window_.findChild<QListWidget*>()->currentRow()], "Timeline");
    ASSERT_TRUE(QTest::qWaitFor([&] { return window_.presenter().timelineFile() == file; }, 10'000));
    EXPECT_TRUE(view<ui::TimelineView>().hasContent());
    EXPECT_TRUE(view<ui::TimelineView>().answer().contains("kernels begin in"))
        << view<ui::TimelineView>().answer().toStdString();
    EXPECT_NE(chrome_trace_of(file.toStdString()).find("\"ph\":\"X\""), std::string::npos);
  }
  open_in(window_, write("one.dachlast", test::sample_run()));  // a run takes the page back
  window_.showPage("Timeline");
  EXPECT_TRUE(QTest::qWaitFor([&] { return view<ui::TimelineView>().answer().contains("operation"); }, 5000));
}

TEST_F(RunPagesTest, ARunWithoutRequestsHasNoCachePage) {
  open_in(window_, write("one.dachlast", test::sample_run()));
  EXPECT_FALSE(view<ui::KvCachePage>().hasContent());
}

TEST_F(RunPagesTest, ServedRequestsFillTheCachePage) {
  auto run = test::sample_run();
  run.kv = "paged:4";
  run.serving = Serving{1, 16, 2, 1.0, {{7, 0, 0, 0.1, {0.1}}}, {}};
  run.serving->kv.n_blocks = 4;
  run.serving->kv.block_size = 4;
  run.serving->kv.peak_blocks = 2;
  run.serving->kv.moments = {{1, 0.25, 2, 0, 7, 0, {{0, 7, {0, 1}}}, {}}, {2, 0.5, 2, 0, 8, 0, {{0, 8, {0, 1}}}, {}}};
  open_in(window_, write("served.dachlast", run));
  auto& page = view<ui::KvCachePage>();
  ASSERT_TRUE(page.hasContent());
  page.setMoment(1);
  EXPECT_EQ(page.moment(), 1);
  page.setMoment(99);
  EXPECT_EQ(page.moment(), 1);
}

TEST_F(RunPagesTest, PinnedScenariosStandSideBySideAndCanBeUndone) {
  auto& page = view<ui::ScenariosView>();
  Q_EMIT page.pinRequested();
  EXPECT_EQ(page.count(), 1);
  Q_EMIT page.pinRequested();  // the same again
  EXPECT_EQ(page.count(), 1);
  auto& form = view<ui::ScenarioForm>();
  ui::ScenarioFields changed = form.fields();
  changed.batch_size = 16;
  form.setFields(changed);
  Q_EMIT form.changed(changed);
  Q_EMIT page.pinRequested();
  EXPECT_EQ(page.count(), 2);
  Q_EMIT page.adoptRequested(0);
  EXPECT_EQ(form.fields().batch_size, 1);
  Q_EMIT page.removeRequested(0);
  EXPECT_EQ(page.count(), 1);
  window_.edits().undo();
  EXPECT_EQ(page.count(), 2);
}

TEST_F(RunPagesTest, ClosingTheRunEmptiesItsPages) {
  openTwo();
  window_.runs().close(1);
  EXPECT_TRUE(view<ui::OverviewView>().hasContent());
  window_.runs().close(0);
  EXPECT_FALSE(view<ui::OverviewView>().hasContent());
  EXPECT_FALSE(view<ui::CompareView>().hasContent());
}

TEST_F(RunPagesTest, OnlyScenarioAndInspectorAreOpenAtFirst) {
  window_.docks().restoreDefault();
  QStringList open;
  for (const QDockWidget* dock : window_.docks().closable())
    if (!dock->isHidden()) open << dock->objectName();
  EXPECT_EQ(open, (QStringList{"scenario", "inspector"}));
}

TEST_F(RunPagesTest, ALayoutOfAnotherVersionHidesNothing) {
  window_.docks().restore(QByteArray("from another time"));
  EXPECT_FALSE(window_.findChild<QDockWidget*>("scenario")->isHidden());
}

TEST_F(RunPagesTest, F11ShowsAChartAloneAndEscapeBringsTheRestBack) {
  ASSERT_TRUE(QTest::qWaitForWindowActive(&window_));
  open_in(window_, write("one.dachlast", test::sample_run()));
  window_.showPage("Roofline");
  auto* chart = view<ui::RooflineView>().findChild<ui::FigureView*>();
  QTest::keyClick(&window_, Qt::Key_F11);
  EXPECT_TRUE(chart->isVisible());
  EXPECT_FALSE(window_.findChild<QDockWidget*>("scenario")->isVisible());
  QTest::keyClick(&window_, Qt::Key_F11);
  EXPECT_TRUE(window_.findChild<QDockWidget*>("scenario")->isVisible());
  EXPECT_TRUE(view<ui::RooflineView>().findChild<ui::DataTable*>()->isVisible());
}

}  // namespace
}  // namespace dachlast::gui
