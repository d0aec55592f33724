#include "core/store/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace dachlast {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Migration kToy[] = {{1, "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)"},
                              {2, "ALTER TABLE a ADD COLUMN y INTEGER NOT NULL DEFAULT 7"},
                              {3, "CREATE TABLE b (z INTEGER)"}};

TEST(Migrate, LiftsAnOlderVersionStepByStep) {
  const Database db = Database::in_memory();
  migrate(db, std::span(kToy).first(1));
  EXPECT_EQ(db.pragma("user_version"), 1);
  migrate(db, kToy);
  EXPECT_EQ(db.pragma("user_version"), 3);
  Statement row = db.prepare("SELECT x, y FROM a");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.integer(0), 1);
  EXPECT_EQ(row.integer(1), 7);
}

TEST(Migrate, DoesNothingTwice) {
  const Database db = Database::in_memory();
  migrate(db, kToy);
  migrate(db, kToy);  // a second CREATE TABLE would throw
  EXPECT_EQ(db.pragma("user_version"), 3);
}

TEST(Migrate, AFailedStepLeavesTheVersionBefore) {
  const Database db = Database::in_memory();
  constexpr Migration broken[] = {kToy[0], {2, "CREATE TABLE c (x INTEGER); SELECT * FROM nowhere"}};
  EXPECT_THROW(migrate(db, broken), Error);
  EXPECT_EQ(db.pragma("user_version"), 1);
  EXPECT_THROW(db.prepare("SELECT * FROM c"), Error);
}

TEST(Migrate, VersionsAscendAndEndAtTheSchemaVersion) {
  int before = 0;
  for (const Migration& step : migrations()) {
    EXPECT_GT(step.to_version, before);
    before = step.to_version;
  }
  EXPECT_EQ(schema_version(), before);
}

TEST(UnknownParts, NamesTablesAndColumnsOfANewerVersion) {
  const Database db = Database::in_memory();
  migrate(db, migrations());
  EXPECT_THAT(unknown_parts(db), IsEmpty());
  db.execute("CREATE TABLE counters (x INTEGER); ALTER TABLE point ADD COLUMN energy_j REAL");
  EXPECT_THAT(unknown_parts(db), ElementsAre("table counters", "column point.energy_j"));
}

}  // namespace
}  // namespace dachlast
