#include "core/base/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CsvTable parse(std::string_view text) {
  return parse_csv(text, "t.csv");
}

void expect_refused(std::string_view text, const std::string& reason) {
  try {
    parse(text);
    ADD_FAILURE() << "accepted: " << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput);
    EXPECT_EQ(error.subject(), "t.csv");
    EXPECT_THAT(error.reason(), HasSubstr(reason));
  }
}

TEST(Csv, ReadsQuotesCommasAndLineEndsInCells) {
  const CsvTable table = parse("id,text\r\n1,\"a, \"\"b\"\"\r\nc\"\r\n2,\r\n");
  EXPECT_THAT(table.columns, ElementsAre("id", "text"));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(table.rows[0].cells, ElementsAre("1", "a, \"b\"\r\nc"));
  EXPECT_EQ(table.rows[0].line, 2);
  EXPECT_THAT(table.rows[1].cells, ElementsAre("2", ""));
  EXPECT_EQ(table.rows[1].line, 4);  // the cell above spans two lines
}

TEST(Csv, LineFeedsAByteOrderMarkAndAMissingLastLineEndAreFine) {
  const CsvTable table = parse("\xEF\xBB\xBFid,n\n\n1,2\n\n3,4");
  EXPECT_THAT(table.columns, ElementsAre("id", "n"));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_THAT(table.rows[1].cells, ElementsAre("3", "4"));
  EXPECT_EQ(table.rows[1].line, 5);
}

TEST(Csv, FindsColumnsByName) {
  const CsvTable table = parse("id,n\n");
  EXPECT_EQ(table.find_column("n"), 1u);
  EXPECT_EQ(table.find_column("N"), std::nullopt);
  EXPECT_TRUE(table.rows.empty());
}

TEST(Csv, RefusesWhatIsNoTableAndSaysWhere) {
  expect_refused("", "is empty");
  expect_refused("\n\n", "is empty");
  expect_refused("a,b\n1\n", "line 2 has 1 cells, but there are 2 columns");
  expect_refused("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells");
  expect_refused("a,b\n1,\"2\n3", "opened in line 2 and never closed at line 3, column 2");
  expect_refused("a,b\n1,\"2\"x\n", "text behind a closing quote at line 2, column 6");
  expect_refused("a,b\n1,2\"\n", "quote inside an unquoted cell at line 2, column 4");
  expect_refused("a,a\n", "\"a\" twice");
  expect_refused("a,,b\n", "without a name");
  expect_refused(std::string_view("a,b\n1,\0\n", 8), "NUL");
  expect_refused(std::string(5000, ','), "more than 4096 cells");
}

TEST(Csv, AFileThatIsNoneIsRefused) {
  EXPECT_THROW(read_csv("/dev/null"), Error);
  EXPECT_THROW(read_csv("/no/such/file.csv"), Error);
}

}  // namespace
}  // namespace dachlast
