#include "ui/widgets/data_table.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QClipboard>
#include <QSignalSpy>

#include "tests/ui/widgets/context_menu.h"

namespace dachlast::ui {
namespace {

using viewmodel::Align;

viewmodel::Table three_rows() {
  viewmodel::Table table;
  table.title = "Operations";
  table.columns = {{"name", "Name", "", "", Align::kLeft}, {"time_s", "Time", "ms", ""}};
  for (const auto& [name, text, value] : {std::tuple{"a", "10.2", 0.0102}, {"b", "9.1", 0.0091}, {"c", "200", 0.2}})
    table.rows.push_back({viewmodel::text_cell(name), viewmodel::number_cell(value, text, Origin::kMeasured)});
  return table;
}

class DataTableTest : public testing::Test {
 protected:
  DataTableTest() { table_.setTable(three_rows()); }
  QString name(int row) const { return table_.model()->index(row, 0).data().toString(); }
  DataTable table_;
};

TEST_F(DataTableTest, StartsInTheOrderGiven) {
  EXPECT_EQ(name(0) + name(1) + name(2), "abc");
}

TEST_F(DataTableTest, SortsByValueNotByText) {
  table_.sortByColumn(1, Qt::AscendingOrder);
  EXPECT_EQ(name(0) + name(1) + name(2), "bac");  // 9.1 < 10.2 < 200
}

TEST_F(DataTableTest, ANewTableForgetsTheOldOrder) {
  table_.sortByColumn(1, Qt::DescendingOrder);
  table_.setTable(three_rows());
  EXPECT_EQ(name(0) + name(1) + name(2), "abc");
}

TEST_F(DataTableTest, RowsAreToldByTheirPlaceInTheTableAsGiven) {
  QSignalSpy spy(&table_, &DataTable::rowSelected);
  table_.sortByColumn(1, Qt::AscendingOrder);
  table_.setCurrentIndex(table_.model()->index(0, 0));  // "b", second as given
  ASSERT_EQ(spy.count(), 1);
  EXPECT_EQ(spy.at(0).at(0).toInt(), 1);
  table_.selectRow(2);
  EXPECT_EQ(table_.currentIndex().data().toString(), "c");
}

TEST_F(DataTableTest, CopiesTheSelectionWithItsHead) {
  table_.selectRow(1);
  EXPECT_EQ(table_.selectionAsTsv(), "Name\tTime, ms\nb\t9.1\n");
}

TEST_F(DataTableTest, WithoutASelectionEverythingIsCopied) {
  EXPECT_EQ(table_.selectionAsMarkdown(),
            "| Name | Time, ms |\n| --- | --- |\n| a | 10.2 |\n| b | 9.1 |\n| c | 200 |\n");
}

TEST_F(DataTableTest, HiddenColumnsAreNotCopied) {
  table_.setColumnHidden(1, true);
  table_.selectRow(0);
  EXPECT_EQ(table_.selectionAsTsv(), "Name\na\n");
}

TEST_F(DataTableTest, ARightClickCopiesCellRowsAndMarkdown) {
  table_.resize(400, 200);
  table_.show();
  const QPoint cell = table_.visualRect(table_.model()->index(1, 1)).center();
  ASSERT_TRUE(choose_from_menu(*table_.viewport(), cell, "Copy cell"));
  EXPECT_EQ(QApplication::clipboard()->text().toStdString(), "9.1");
  table_.selectRow(1);
  ASSERT_TRUE(choose_from_menu(*table_.viewport(), cell, "Copy rows"));
  EXPECT_EQ(QApplication::clipboard()->text().toStdString(), "Name\tTime, ms\nb\t9.1\n");
  ASSERT_TRUE(choose_from_menu(*table_.viewport(), cell, "Copy as Markdown"));
  EXPECT_EQ(QApplication::clipboard()->text().toStdString(), "| Name | Time, ms |\n| --- | --- |\n| b | 9.1 |\n");
}

TEST_F(DataTableTest, ARightClickHidesAColumnAndBringsItBack) {
  table_.resize(400, 200);
  table_.show();
  ASSERT_TRUE(choose_from_menu(*table_.viewport(), {5, 5}, "Time, ms"));
  EXPECT_TRUE(table_.isColumnHidden(1));
  ASSERT_TRUE(choose_from_menu(*table_.viewport(), {5, 5}, "Time, ms"));
  EXPECT_FALSE(table_.isColumnHidden(1));
}

}  // namespace
}  // namespace dachlast::ui
