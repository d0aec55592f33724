#include "ui/models/table_model.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>

namespace dachlast::ui {
namespace {

using viewmodel::Align;

viewmodel::Table two_rows() {
  viewmodel::Table table;
  table.id = "ops";
  table.title = "Operations";
  table.columns = {{"name", "Name", "", "What ran", Align::kLeft}, {"time_s", "Time", "ms", "Per step"}};
  table.rows = {{viewmodel::text_cell("attention"), viewmodel::number_cell(0.0102, "10.2", Origin::kMeasured)},
                {viewmodel::text_cell("norm"), viewmodel::number_cell(0.0009, "0.9", Origin::kEstimated)}};
  return table;
}

class TableModelTest : public testing::Test {
 protected:
  TableModelTest() { model_.setTable(two_rows()); }
  QVariant at(int row, int column, int role = Qt::DisplayRole) const { return model_.index(row, column).data(role); }
  TableModel model_;
};

TEST_F(TableModelTest, KeepsTheContractOfModels) {
  const QAbstractItemModelTester tester(&model_, QAbstractItemModelTester::FailureReportingMode::Fatal);
  model_.setTable(two_rows());
  model_.setTable({});
  EXPECT_EQ(model_.rowCount(), 0);
}

TEST_F(TableModelTest, ShowsTextAndSortsByRawValue) {
  EXPECT_EQ(at(0, 1).toString(), "10.2");
  // "10.2" sorts before "9" as text; as a value it does not.
  EXPECT_DOUBLE_EQ(at(0, 1, TableModel::kSortRole).toDouble(), 0.0102);
}

TEST_F(TableModelTest, MarksEstimatesWithTheirSign) {
  EXPECT_TRUE(at(1, 1).toString().startsWith(QChar(0x2248)));  // ≈
  EXPECT_FALSE(at(0, 1).toString().startsWith(QChar(0x2248)));
}

TEST_F(TableModelTest, HeadsCarryTheUnit) {
  EXPECT_EQ(model_.headerData(1, Qt::Horizontal, Qt::DisplayRole).toString(), "Time, ms");
  EXPECT_EQ(model_.headerData(1, Qt::Horizontal, Qt::ToolTipRole).toString(), "Per step");
  EXPECT_FALSE(model_.headerData(2, Qt::Horizontal, Qt::DisplayRole).isValid());
}

TEST_F(TableModelTest, NumbersStandRightNamesLeft) {
  EXPECT_TRUE(at(0, 0, Qt::TextAlignmentRole).value<Qt::Alignment>() & Qt::AlignLeft);
  EXPECT_TRUE(at(0, 1, Qt::TextAlignmentRole).value<Qt::Alignment>() & Qt::AlignRight);
}

}  // namespace
}  // namespace dachlast::ui
