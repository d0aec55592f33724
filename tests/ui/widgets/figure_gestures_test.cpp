#include <gtest/gtest.h>

#include <QApplication>
#include <QClipboard>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

#include "tests/ui/widgets/context_menu.h"
#include "ui/widgets/data_table.h"
#include "ui/widgets/figure_view.h"

namespace dachlast::ui {
namespace {

/// A plane of 100 × 100 units from (10, 10) to (210, 110) with one datum in its middle.
figure::Figure plane_figure(figure::Size size) {
  figure::Figure made{"p", size, "Plane", "A plane", {}};
  const figure::Box frame{10.0, 10.0, 200.0, 100.0};
  made.plane = figure::Plane{frame, figure::Scale::linear({0.0, 100.0}, frame.x, frame.right()),
                             figure::Scale::linear({0.0, 100.0}, frame.bottom(), frame.y)};
  made.primitives.push_back(figure::HitBox{{105.0, 55.0, 10.0, 10.0}, "middle", "the middle"});
  return made;
}

class FigureGestures : public testing::Test {
 protected:
  FigureGestures() {
    view_.resize(300, 200);
    view_.setGestures(FigureView::Brush::kBox, FigureView::Zoom::kBoth);
    view_.setSource(plane_figure);
    view_.show();
    QObject::connect(&view_, &FigureView::windowBrushed, [this](const auto& window) { brushed_ = window; });
    QObject::connect(&view_, &FigureView::windowRequested, [this](const auto& window) { requested_ = window; });
    QObject::connect(&view_, &FigureView::resetRequested, [this] { ++n_resets_; });
    QObject::connect(&view_, &FigureView::brushCleared, [this] { ++n_cleared_; });
  }
  void drag(QPoint from, QPoint to, Qt::MouseButton button = Qt::LeftButton) {
    QTest::mousePress(&view_, button, {}, from);
    QTest::mouseMove(&view_, (from + to) / 2);
    // Offscreen, mouseMove carries no buttons: the widget goes by what was pressed.
    QTest::mouseMove(&view_, to);
    QTest::mouseRelease(&view_, button, {}, to);
  }
  void turnWheel(QPointF at, int notches) {
    QWheelEvent event(at, view_.mapToGlobal(at), {}, {0, 120 * notches}, Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(&view_, &event);
  }

  FigureView view_;
  std::optional<FigureView::Window> brushed_;
  std::optional<FigureView::Window> requested_;
  int n_resets_ = 0;
  int n_cleared_ = 0;
};

TEST_F(FigureGestures, ADragTellsTheBoxInDataUnits) {
  drag({60, 35}, {160, 85});
  ASSERT_TRUE(brushed_);
  // x: (60 − 10) / 2 = 25 and (160 − 10) / 2 = 75; y upwards: (110 − 85) = 25 and (110 − 35) = 75.
  EXPECT_NEAR(brushed_->x.lo, 25.0, 0.5);
  EXPECT_NEAR(brushed_->x.hi, 75.0, 0.5);
  EXPECT_NEAR(brushed_->y.lo, 25.0, 0.5);
  EXPECT_NEAR(brushed_->y.hi, 75.0, 0.5);
  EXPECT_TRUE(view_.brushed());
}

TEST_F(FigureGestures, ARangeReachesOverTheWholeHeight) {
  view_.setGestures(FigureView::Brush::kRange, FigureView::Zoom::kX);
  drag({60, 50}, {160, 52});
  ASSERT_TRUE(brushed_);
  EXPECT_DOUBLE_EQ(brushed_->y.lo, 0.0);
  EXPECT_DOUBLE_EQ(brushed_->y.hi, 100.0);
}

/// Three data of 1, 2 and 6 bytes beside each other.
figure::Figure three_data(figure::Size size) {
  figure::Figure made{"t", size, "Three", "Three data", {}};
  for (int i = 0; i < 3; ++i)
    made.primitives.push_back(figure::HitBox{{20.0 + 40.0 * i, 20.0, 20.0, 20.0},
                                             std::to_string(i),
                                             {},
                                             figure::Amount{i == 2 ? 6.0 : 1.0 + i, figure::AmountUnit::kBytes}});
  return made;
}

TEST_F(FigureGestures, CtrlAndAClickAddToTheSelectionAndSumItUp) {
  view_.setGestures(FigureView::Brush::kNone, FigureView::Zoom::kNone);
  view_.setSource(three_data);
  int count = 0;
  viewmodel::Table statistics;
  QObject::connect(&view_, &FigureView::manySelected, [&](int n, const viewmodel::Table& table) {
    count = n;
    statistics = table;
  });
  QTest::mouseClick(&view_, Qt::LeftButton, {}, {30, 30});
  QTest::mouseClick(&view_, Qt::LeftButton, Qt::ControlModifier, {70, 30});
  QTest::mouseClick(&view_, Qt::LeftButton, Qt::ControlModifier, {110, 30});
  EXPECT_EQ(view_.selection(), (QStringList{"0", "1", "2"}));
  EXPECT_EQ(count, 3);
  ASSERT_EQ(statistics.rows.size(), 1U);
  EXPECT_EQ(std::get<std::int64_t>(statistics.rows[0][0].raw), 3);
  EXPECT_DOUBLE_EQ(std::get<double>(statistics.rows[0][1].raw), 9.0);        // 1 + 2 + 6 bytes
  QTest::mouseClick(&view_, Qt::LeftButton, Qt::ControlModifier, {70, 30});  // once more takes it out
  EXPECT_EQ(view_.selection(), (QStringList{"0", "2"}));
  QTest::mouseClick(&view_, Qt::LeftButton, {}, {110, 30});  // alone again
  EXPECT_EQ(view_.selection(), QStringList{"2"});
}

TEST_F(FigureGestures, FactsAreMadeWhenSomeoneAsks) {
  view_.setSource(three_data);
  view_.setFacts([](const std::string& datum) { return "fact " + datum; });
  const viewmodel::Table table = view_.data();
  ASSERT_EQ(table.rows.size(), 3U);
  EXPECT_EQ(table.rows[1][1].text, "fact 1");
}

TEST_F(FigureGestures, SpaceAndADragPan) {
  view_.setFocus();
  QTest::keyPress(&view_, Qt::Key_Space);
  drag({100, 60}, {120, 60});
  QTest::keyRelease(&view_, Qt::Key_Space);
  EXPECT_FALSE(brushed_);
  ASSERT_TRUE(requested_);
  EXPECT_LT(requested_->x.lo, 0.0);  // what lay left of the frame comes in
}

TEST_F(FigureGestures, AShakyClickSelects) {
  drag({109, 59}, {111, 60});
  EXPECT_FALSE(brushed_);
  EXPECT_EQ(view_.selected(), "middle");
}

TEST_F(FigureGestures, TheWheelZoomsAroundThePointer) {
  turnWheel({60.0, 60.0}, 1);
  ASSERT_TRUE(requested_);
  // 80 % of the plane stays; what lies under the pointer, x = 25 and y = 50, stays where it is.
  EXPECT_NEAR(requested_->x.hi - requested_->x.lo, 80.0, 1e-9);
  EXPECT_NEAR(requested_->x.lo, 25.0 - 0.8 * 25.0, 1e-9);
  EXPECT_NEAR(requested_->y.lo, 50.0 - 0.8 * 50.0, 1e-9);
}

TEST_F(FigureGestures, DraggingWithTheMiddleButtonPans) {
  drag({100, 60}, {120, 60}, Qt::MiddleButton);
  ASSERT_TRUE(requested_);
  EXPECT_LT(requested_->x.lo, 0.0);  // to the right: what lies left of the plane comes in
}

TEST_F(FigureGestures, EscapeClearsBrushThenSelectionThenZoom) {
  turnWheel({60.0, 60.0}, 1);
  QTest::mouseClick(&view_, Qt::LeftButton, {}, {110, 60});
  drag({60, 35}, {160, 85});
  QTest::keyClick(&view_, Qt::Key_Escape);
  EXPECT_EQ(n_cleared_, 1);
  EXPECT_EQ(view_.selected(), "middle");
  QTest::keyClick(&view_, Qt::Key_Escape);
  EXPECT_EQ(view_.selected(), "");
  EXPECT_EQ(n_resets_, 0);
  QTest::keyClick(&view_, Qt::Key_Escape);
  EXPECT_EQ(n_resets_, 1);
}

TEST_F(FigureGestures, ADoubleClickShowsEverything) {
  QTest::mouseDClick(&view_, Qt::LeftButton, {}, {60, 60});
  EXPECT_EQ(n_resets_, 1);
}

TEST_F(FigureGestures, EnterInspectsWhatIsSelected) {
  const QSignalSpy inspected(&view_, &FigureView::inspectRequested);
  QTest::keyClick(&view_, Qt::Key_Return);
  EXPECT_EQ(inspected.count(), 0);
  QTest::keyClick(&view_, Qt::Key_Right);
  QTest::keyClick(&view_, Qt::Key_Return);
  ASSERT_EQ(inspected.count(), 1);
  EXPECT_EQ(inspected.at(0).at(0).toString(), "middle");
}

TEST_F(FigureGestures, FactsAreTheTableOfAChartWithoutOne) {
  const viewmodel::Table table = view_.data();
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0][1].text, "the middle");
}

TEST_F(FigureGestures, ChartsWithoutAPlaneIgnoreTheWheel) {
  view_.setSource([](figure::Size size) { return figure::Figure{"e", size, "Empty", "", {}}; });
  turnWheel({60.0, 60.0}, 1);
  drag({60, 35}, {160, 85});
  EXPECT_FALSE(requested_);
  EXPECT_FALSE(brushed_);
}

TEST_F(FigureGestures, ARightClickCopiesImageAndData) {
  ASSERT_TRUE(choose_from_menu(view_, {110, 60}, "Copy data"));
  EXPECT_TRUE(QApplication::clipboard()->text().contains("middle\tthe middle"));
  ASSERT_TRUE(choose_from_menu(view_, {110, 60}, "Copy image"));
  EXPECT_FALSE(QApplication::clipboard()->image().isNull());
  EXPECT_TRUE(QApplication::clipboard()->text().contains("middle\tthe middle"));  // for those who paste into a sheet
}

TEST_F(FigureGestures, FilesOfDataHoldMoreThanTheTableBesideTheChart) {
  const auto named = [](const char* id) {
    return [id] { return viewmodel::Table{.id = id, .title = {}, .columns = {}, .rows = {}, .notes = {}}; };
  };
  view_.setTable(named("beside"));
  EXPECT_EQ(view_.data().id, "beside");
  view_.setData(named("all"));
  EXPECT_EQ(view_.data().id, "all");
  std::string below;
  QObject::connect(&view_, &FigureView::saveRequested,
                   [&](const auto&, const viewmodel::Table& table, const auto&, double) { below = table.id; });
  ASSERT_TRUE(choose_from_menu(view_, {110, 60}, "Save as SVG…"));
  EXPECT_EQ(below, "beside");
}

TEST_F(FigureGestures, ARightClickSavesInFourKindsAndAddsToTheReport) {
  QStringList kinds;
  QString added;
  QObject::connect(&view_, &FigureView::saveRequested,
                   [&](const auto&, const auto&, const QString& kind, double scale) {
                     kinds << (kind == QStringLiteral("png") ? kind + QString::number(scale) : kind);
                   });
  QObject::connect(&view_, &FigureView::saveDataRequested, [&](const auto&, const QString& kind) { kinds << kind; });
  QObject::connect(&view_, &FigureView::addToReportRequested,
                   [&](const figure::Figure& chart) { added = QString::fromStdString(chart.id); });
  for (const char* entry :
       {"1× pixels…", "3× pixels…", "Save as SVG…", "Save as CSV…", "Save as JSON…", "Add to report"})
    EXPECT_TRUE(choose_from_menu(view_, {110, 60}, QString::fromUtf8(entry))) << entry;
  EXPECT_EQ(kinds.join(u' ').toStdString(), "png1 png3 svg csv json");
  EXPECT_EQ(added.toStdString(), "p");
}

TEST_F(FigureGestures, ARightClickShowsTheDataAsATable) {
  ASSERT_TRUE(choose_from_menu(view_, {110, 60}, "Show as table"));
  const auto* table = view_.findChild<DataTable*>();
  ASSERT_NE(table, nullptr);
  EXPECT_EQ(table->table().rows.size(), 1U);
}

TEST_F(FigureGestures, AChartThatShowsNothingHasNoMenu) {
  FigureView empty;
  EXPECT_FALSE(choose_from_menu(empty, {10, 10}, "Copy data"));
}

}  // namespace
}  // namespace dachlast::ui
