#include "ui/models/run_list_model.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QSignalSpy>

namespace dachlast::ui {
namespace {

QList<RunEntry> two_runs() {
  RunEntry base{.name = "before", .subject = "gpt2 on a CPU", .date = "2026-03-01", .note = {}, .file = "a.dachlast"};
  base.standing = RunEntry::Standing::kBaseline;
  RunEntry other{
      .name = "after", .subject = "gpt2 on a CPU", .date = "2026-03-02", .note = "tiles", .file = "b.dachlast"};
  return {base, other};
}

class RunListModelTest : public testing::Test {
 protected:
  RunListModelTest() { model_.setRuns(two_runs()); }
  QVariant at(int row, int column, int role = Qt::DisplayRole) { return model_.data(model_.index(row, column), role); }

  RunListModel model_;
  QAbstractItemModelTester tester_{&model_, QAbstractItemModelTester::FailureReportingMode::Fatal};
};

TEST_F(RunListModelTest, AStarMarksTheBaseline) {
  EXPECT_EQ(at(0, RunListModel::kBaseline).toString(), "★");
  EXPECT_EQ(at(1, RunListModel::kBaseline).toString(), "☆");
}

TEST_F(RunListModelTest, EditsAreToldNotDone) {
  const QSignalSpy renamed(&model_, &RunListModel::renamed);
  EXPECT_TRUE(model_.setData(model_.index(1, RunListModel::kName), "  new name ", Qt::EditRole));
  ASSERT_EQ(renamed.count(), 1);
  EXPECT_EQ(renamed.at(0).at(1).toString(), "new name");
  EXPECT_EQ(at(1, RunListModel::kName).toString(), "after");
}

TEST_F(RunListModelTest, ARunKeepsAName) {
  EXPECT_FALSE(model_.setData(model_.index(1, RunListModel::kName), "   ", Qt::EditRole));
}

TEST_F(RunListModelTest, ANoteMayBecomeEmpty) {
  const QSignalSpy noted(&model_, &RunListModel::noted);
  EXPECT_TRUE(model_.setData(model_.index(1, RunListModel::kNote), "", Qt::EditRole));
  EXPECT_EQ(noted.count(), 1);
}

TEST_F(RunListModelTest, SurvivesReplacingItsRuns) {
  model_.setRuns({});
  model_.setRuns(two_runs());
  EXPECT_EQ(model_.rowCount(), 2);
}

}  // namespace
}  // namespace dachlast::ui
