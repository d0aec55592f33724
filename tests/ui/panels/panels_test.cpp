#include <gtest/gtest.h>

#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

#include "core/viewmodel/selection.h"
#include "ui/panels/inspector_panel.h"
#include "ui/panels/jobs_panel.h"
#include "ui/widgets/chip_bar.h"

namespace dachlast::ui {
namespace {

TEST(ChipBar, TakesNoRoomWithoutChips) {
  ChipBar bar;
  EXPECT_FALSE(bar.isVisibleTo(nullptr));
  bar.setChips({{"phase", "Decode"}});
  EXPECT_EQ(bar.texts(), QStringList{"Decode"});
  bar.setChips({});
  EXPECT_TRUE(bar.texts().isEmpty());
}

TEST(ChipBar, AClickRemovesAChip) {
  ChipBar bar;
  bar.setChips({{"phase", "Decode"}, {"box", "5 operations"}});
  bar.show();
  const QSignalSpy removed(&bar, &ChipBar::removed);
  QTest::mouseClick(bar.findChildren<QPushButton*>().at(1), Qt::LeftButton);
  ASSERT_EQ(removed.count(), 1);
  EXPECT_EQ(removed.at(0).at(0).toString(), "box");
}

TEST(JobsPanel, EscapeCancelsAJobAndNothingElse) {
  JobsPanel panel;
  panel.show();
  const QSignalSpy cancelled(&panel, &JobsPanel::cancelRequested);
  QTest::keyClick(&panel, Qt::Key_Escape);
  EXPECT_EQ(cancelled.count(), 0);
  panel.showProgress("decode, 512 tokens", 1, 4);
  QTest::keyClick(&panel, Qt::Key_Escape);
  EXPECT_EQ(cancelled.count(), 1);
  panel.showEnd("Done");
  EXPECT_FALSE(panel.busy());
}

TEST(JobsPanel, TimesReadAsClocks) {
  EXPECT_EQ(clock_text(5), "0:05");
  EXPECT_EQ(clock_text(125), "2:05");
  EXPECT_EQ(clock_text(3725), "1:02:05");
}

TEST(InspectorPanel, ShowsASelectionAndItsStatistics) {
  InspectorPanel panel;
  panel.show();
  EXPECT_EQ(panel.title(), "Nothing selected");
  viewmodel::Inspection inspection;
  inspection.title = "attention";
  panel.setInspection(inspection);
  EXPECT_EQ(panel.title(), "attention");
  const double seconds[] = {1.0, 2.0};
  panel.setStatistics("Two durations", viewmodel::duration_statistics(seconds));
  panel.setInspection(std::nullopt);
  EXPECT_EQ(panel.title(), "Nothing selected");
}

}  // namespace
}  // namespace dachlast::ui
