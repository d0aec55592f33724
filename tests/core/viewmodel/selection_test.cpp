#include "core/viewmodel/selection.h"

#include <gtest/gtest.h>

#include <vector>

namespace dachlast::viewmodel {
namespace {

using figure::Amount;
using figure::AmountUnit;

TEST(Selection, SumsUpAmountsOfOneUnit) {
  const std::vector<Amount> amounts = {{1.0, AmountUnit::kBytes}, {2.0, AmountUnit::kBytes}, {6.0, AmountUnit::kBytes}};
  const auto table = selection_statistics(amounts);
  ASSERT_TRUE(table);
  ASSERT_EQ(table->columns.size(), 8U);
  EXPECT_EQ(table->columns[1].key, "sum_bytes");
  const auto& row = table->rows.front();
  const auto value = [&](std::size_t column) { return std::get<double>(row[column].raw); };
  EXPECT_EQ(std::get<std::int64_t>(row[0].raw), 3);
  EXPECT_DOUBLE_EQ(value(1), 9.0);
  EXPECT_DOUBLE_EQ(value(2), 1.0);
  EXPECT_DOUBLE_EQ(value(3), 2.0);
  EXPECT_DOUBLE_EQ(value(4), 3.0);
  EXPECT_DOUBLE_EQ(value(6), 6.0);
  EXPECT_NEAR(value(7), 2.6457513, 1e-6);  // √((4 + 1 + 9) / 2) = √7
}

TEST(Selection, DoesNotAddWhatCannotBeAdded) {
  const std::vector<Amount> mixed = {{1.0, AmountUnit::kBytes}, {2.0, AmountUnit::kSeconds}};
  EXPECT_FALSE(selection_statistics(mixed));
  EXPECT_FALSE(selection_statistics({}));
}

}  // namespace
}  // namespace dachlast::viewmodel
