#include "core/import/nsys_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "core/profile/gpu_profile.h"
#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

const NameRules& shipped_rules() {
  static const NameRules rules(data_dir() / "rules");
  return rules;
}

// Counted from the file alone: 1,721 kernels a device, 452 copies and 11 fills, whose intervals cover 962.890 ms.
TEST(NsysTrace, TimesAreThoseOfTheExport) {
  const auto file = std::filesystem::path(DACHLAST_TEST_DATA_DIR) / "profiles" / "h100-two-gpus.sqlite";
  const GpuProfile profile = summarize(read_nsys_trace(file, shipped_rules()), shipped_rules());
  ASSERT_EQ(profile.timelines.size(), 2U);
  EXPECT_EQ(profile.timelines[0].n_events, 1721 + 452 + 11);
  EXPECT_EQ(profile.timelines[0].compute_ns, 22'385'163);
  EXPECT_EQ(profile.timelines[1].compute_ns, 22'444'359);
  EXPECT_EQ(profile.timelines[0].busy_ns(), 962'890'247);
  EXPECT_EQ(profile.timelines[1].busy_ns(), 962'810'705);
  EXPECT_EQ(profile.kernels.at(0).times.n, 248);
  EXPECT_EQ(profile.kernels.at(0).times.total_ns, 31'121'662);
}

/// A minimal export: one kernel launched inside a range "aten::mm, op_id = 5", which lies in the step "decode 3".
void write_export(const std::filesystem::path& file) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(file.c_str(), &db), SQLITE_OK);
  const char* sql = R"sql(
    CREATE TABLE META_DATA_EXPORT (name TEXT, value TEXT);
    CREATE TABLE StringIds (id INTEGER, value TEXT);
    INSERT INTO StringIds VALUES (1, 'a_gemm'), (2, 'a_gemm<float>');
    CREATE TABLE CUPTI_ACTIVITY_KIND_KERNEL (start INTEGER, end INTEGER, deviceId INTEGER, streamId INTEGER,
      correlationId INTEGER, globalPid INTEGER, demangledName INTEGER, shortName INTEGER);
    INSERT INTO CUPTI_ACTIVITY_KIND_KERNEL VALUES (1000, 1500, 0, 7, 42, 0x5000000, 2, 1);
    CREATE TABLE CUPTI_ACTIVITY_KIND_RUNTIME (start INTEGER, end INTEGER, globalTid INTEGER, correlationId INTEGER);
    INSERT INTO CUPTI_ACTIVITY_KIND_RUNTIME VALUES (500, 510, 0x5000009, 42), (700, 710, 0x6000009, 42);
    CREATE TABLE NVTX_EVENTS (start INTEGER, end INTEGER, eventType INTEGER, text TEXT, globalTid INTEGER, textId INTEGER);
    INSERT INTO NVTX_EVENTS VALUES (400, 600, 59, 'decode 3', 0x5000009, NULL);
    INSERT INTO NVTX_EVENTS VALUES (450, 550, 59, 'aten::mm, op_id = 5', 0x5000009, NULL);
    CREATE TABLE TARGET_INFO_GPU (id INTEGER, name TEXT);
    INSERT INTO TARGET_INFO_GPU VALUES (0, 'NVIDIA H100 80GB HBM3');
  )sql";
  ASSERT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
  sqlite3_close(db);
}

TEST(NsysTrace, WorkIsTiedToTheRangeAroundItsLaunch) {
  const testing::TemporaryFolder folder;
  write_export(folder / "report.sqlite");
  const GpuTrace trace = read_nsys_trace(folder / "report.sqlite", shipped_rules());
  ASSERT_EQ(trace.events.size(), 1U);  // the call of the other process with the same number launched something else
  const GpuEvent& event = trace.events[0];
  EXPECT_EQ(trace.names[event.name], "a_gemm<float>");
  ASSERT_EQ(event.host_op, 0);
  EXPECT_EQ(trace.names[trace.host_ops[0].name], "aten::mm");
  ASSERT_EQ(event.step, 0);
  EXPECT_EQ(trace.steps[0].phase, Phase::kDecode);
  EXPECT_EQ(trace.devices.at(0).name, "NVIDIA H100 80GB HBM3");
}

TEST(NsysTrace, AnotherDatabaseIsRefused) {
  const testing::TemporaryFolder folder;
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "other.sqlite").c_str(), &db), SQLITE_OK);
  sqlite3_exec(db, "CREATE TABLE t (a)", nullptr, nullptr, nullptr);
  sqlite3_close(db);
  EXPECT_THROW(read_nsys_trace(folder / "other.sqlite", shipped_rules()), Error);
}

}  // namespace
}  // namespace dachlast
