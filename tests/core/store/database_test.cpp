#include "core/store/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Database with_table() {
  Database db = Database::in_memory();
  db.execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT, b BLOB)");
  return db;
}

TEST(Database, ValuesComeBackAsTheyWereBound) {
  const Database db = with_table();
  const std::vector<double> values = {1.5, -2.0};
  const std::string with_zero("a\0b", 3);
  db.prepare("INSERT INTO t VALUES (?, ?, ?, ?)")
      .bind(std::int64_t{1} << 62, 0.1, with_zero, std::span<const double>(values))
      .run();
  Statement row = db.prepare("SELECT i, r, s, b, NULL FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), std::int64_t{1} << 62);
  EXPECT_EQ(row.real(1), 0.1);
  EXPECT_EQ(row.text(2), with_zero);
  EXPECT_THAT(row.reals(3), ElementsAre(1.5, -2.0));
  EXPECT_TRUE(row.is_null(4));
  EXPECT_THROW(row.count(0), Error);  // no int
  EXPECT_FALSE(row.step());
}

TEST(Database, NoValuesAreNotNull) {
  const Database db = with_table();
  db.prepare("INSERT INTO t (b) VALUES (?)").bind(std::span<const double>()).run();
  Statement row = db.prepare("SELECT b FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_FALSE(row.is_null(0));
  EXPECT_THAT(row.reals(0), IsEmpty());
}

TEST(Database, ABlobOfBrokenLengthIsDamage) {
  const Database db = with_table();
  db.execute("INSERT INTO t (b) VALUES (x'010203')");
  Statement row = db.prepare("SELECT b FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_THROW(row.reals(0), Error);
}

TEST(Database, ATransactionThatIsNotCommittedLeavesNothing) {
  const Database db = with_table();
  {
    Transaction transaction(db);
    db.execute("INSERT INTO t (i) VALUES (1)");
  }
  {
    Transaction transaction(db);
    db.execute("INSERT INTO t (i) VALUES (2)");
    transaction.commit();
  }
  Statement row = db.prepare("SELECT count(*), max(i) FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 1);
  EXPECT_EQ(row.integer(1), 2);
}

TEST(Database, AFullDiskIsSaidAndRollsBack) {
  const Database db = with_table();
  db.execute("PRAGMA max_page_count = 3");
  try {
    Transaction transaction(db);
    db.execute("INSERT INTO t (i) VALUES (1)");
    db.execute("INSERT INTO t (b) VALUES (zeroblob(100000))");
    FAIL() << "100 kB fitted into 3 pages";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailure);
    EXPECT_THAT(error.reason(), HasSubstr("no space"));
  }
  EXPECT_FALSE(db.in_transaction());
  Statement row = db.prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 0);
}

TEST(Database, ACopyInMemoryIsIndependent) {
  const Database db = with_table();
  db.execute("INSERT INTO t (i) VALUES (1)");
  const Database copy = db.copy_in_memory();
  copy.execute("DELETE FROM t");
  Statement row = db.prepare("SELECT count(*) FROM t");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 1);
}

}  // namespace
}  // namespace dachlast
