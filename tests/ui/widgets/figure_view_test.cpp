#include "ui/widgets/figure_view.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QTest>
#include <QToolTip>

namespace dachlast::ui {
namespace {

/// Two data side by side, the second half over the first.
figure::Figure two_data(figure::Size size) {
  figure::Figure figure{"f", size, "Two data", "One and two", {}};
  figure.primitives.push_back(figure::HitBox{{10, 10, 60, 40}, "one", "first\n1 GiB"});
  figure.primitives.push_back(figure::HitBox{{50, 10, 60, 40}, "two", "second\n2 GiB"});
  return figure;
}

class FigureViewTest : public testing::Test {
 protected:
  FigureViewTest() : spy_(&view_, &FigureView::datumSelected) {
    view_.resize(300, 200);
    view_.setSource(two_data);
    view_.show();
  }
  QString told(int i) const { return spy_.at(i).at(0).toString(); }

  FigureView view_;
  QSignalSpy spy_;
};

TEST_F(FigureViewTest, DrawsTheFigureAtItsOwnSize) {
  EXPECT_DOUBLE_EQ(view_.figure().size.width, 300.0);
  view_.resize(500, 250);
  EXPECT_DOUBLE_EQ(view_.figure().size.width, 500.0);
}

TEST_F(FigureViewTest, AClickSelectsWhatLiesOnTop) {
  QTest::mouseClick(&view_, Qt::LeftButton, {}, {60, 20});
  ASSERT_EQ(spy_.count(), 1);
  EXPECT_EQ(told(0), "two");
  EXPECT_EQ(view_.selected(), "two");
}

TEST_F(FigureViewTest, AClickBesideAllDataClearsTheSelection) {
  QTest::mouseClick(&view_, Qt::LeftButton, {}, {20, 20});
  QTest::mouseClick(&view_, Qt::LeftButton, {}, {250, 150});
  ASSERT_EQ(spy_.count(), 2);
  EXPECT_EQ(told(1), "");
}

TEST_F(FigureViewTest, ArrowsMoveBetweenDataAndWrap) {
  QTest::keyClick(&view_, Qt::Key_Right);
  QTest::keyClick(&view_, Qt::Key_Right);
  QTest::keyClick(&view_, Qt::Key_Right);
  ASSERT_EQ(spy_.count(), 3);
  EXPECT_EQ(told(0), "one");
  EXPECT_EQ(told(1), "two");
  EXPECT_EQ(told(2), "one");
  QTest::keyClick(&view_, Qt::Key_Left);
  EXPECT_EQ(told(3), "two");
}

TEST_F(FigureViewTest, EscapeClearsTheSelection) {
  QTest::keyClick(&view_, Qt::Key_Right);
  QTest::keyClick(&view_, Qt::Key_Escape);
  EXPECT_EQ(view_.selected(), "");
}

TEST_F(FigureViewTest, SettingASelectionTellsNobody) {
  view_.setSelected("one");
  EXPECT_EQ(spy_.count(), 0);
}

TEST_F(FigureViewTest, HoveringShowsTheFactsAfterAMoment) {
  QTest::mouseMove(&view_, {20, 20});
  EXPECT_TRUE(QTest::qWaitFor([] { return QToolTip::text().contains("1 GiB"); }, 2000));
}

TEST_F(FigureViewTest, KeyboardFocusShowsTheFactsToo) {
  QTest::keyClick(&view_, Qt::Key_Left);
  EXPECT_TRUE(QTest::qWaitFor([] { return QToolTip::text().contains("2 GiB"); }, 2000));
}

TEST_F(FigureViewTest, NamesItselfToThoseWhoCannotSeeIt) {
  EXPECT_EQ(view_.accessibleName(), "Two data");
  EXPECT_EQ(view_.accessibleDescription(), "One and two");
}

TEST_F(FigureViewTest, AnEmptyViewTakesClicksAndKeys) {
  FigureView empty;
  empty.show();
  QTest::mouseClick(&empty, Qt::LeftButton, {}, {5, 5});
  QTest::keyClick(&empty, Qt::Key_Right);
  EXPECT_EQ(empty.selected(), "");
}

}  // namespace
}  // namespace dachlast::ui
