#include "core/collect/cupti/range_profiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/error.h"
#include "core/collect/cupti/counter_session.h"
#include "tests/core/collect/programs/fake_counters.h"

// Runs over a stand-in for CUPTI's counters that refuses calls out of order; values are 1000 · range + metric.
namespace dachlast::cupti {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kFolder = DACHLAST_METRIC_SETS_DIR;

CUctx_st* context() {
  static int object = 0;
  return reinterpret_cast<CUctx_st*>(&object);
}

TEST(RangeProfiler, EachKernelIsARange) {
  fake_counters_passes(1);
  RangeProfiler profiler(context(), kFolder, "traffic", RangeMode::kEachKernel, 10);
  EXPECT_EQ(profiler.chip(), "GH100");
  profiler.start();
  for (int i = 0; i < 3; ++i) fake_counters_launch();
  EXPECT_EQ(profiler.stop(), RangeProfiler::Passes::kAllDone);
  const auto ranges = profiler.collect();
  ASSERT_EQ(ranges.size(), 3U);
  ASSERT_EQ(ranges[2].values.size(), 4U);
  EXPECT_DOUBLE_EQ(ranges[2].values[1], 2001.0);
}

TEST(RangeProfiler, StepsRunOncePerPass) {
  fake_counters_passes(3);
  RangeProfiler profiler(context(), kFolder, "fp32", RangeMode::kPushed, 10);
  int n_runs = 0;
  for (auto passes = RangeProfiler::Passes::kMoreToRun; passes == RangeProfiler::Passes::kMoreToRun && n_runs < 10;) {
    profiler.start();
    profiler.push("decode");
    ++n_runs;
    profiler.pop();
    passes = profiler.stop();
  }
  EXPECT_EQ(n_runs, 3);
  const auto ranges = profiler.collect();
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].name, "decode");
  EXPECT_DOUBLE_EQ(ranges[0].values[2], 2.0);
}

TEST(RangeProfiler, StartsAnewAfterACollectionAndCountsWhatFoundNoRoom) {
  fake_counters_passes(1);
  RangeProfiler profiler(context(), kFolder, "traffic", RangeMode::kEachKernel, 2);
  for (int round = 0; round < 2; ++round) {
    profiler.start();
    for (int i = 0; i < 3; ++i) fake_counters_launch();
    profiler.stop();
    EXPECT_EQ(profiler.collect().size(), 2U);
  }
  EXPECT_EQ(profiler.n_dropped(), 2U);
}

TEST(RangeProfiler, LetsTheCountersGo) {
  { const RangeProfiler profiler(context(), kFolder, "traffic", RangeMode::kEachKernel, 2); }
  EXPECT_EQ(fake_counters_state(), 0);
}

TEST(RangeProfiler, CallsOutOfOrderAreErrors) {
  fake_counters_passes(1);
  RangeProfiler profiler(context(), kFolder, "traffic", RangeMode::kEachKernel, 2);
  EXPECT_THROW(profiler.collect(), Error);
  EXPECT_THROW(profiler.push("x"), Error);
}

TEST(RangeProfiler, RefusalsNameTheirCause) {
  for (const auto& [code, text] : {std::pair("35", "administrators"), std::pair("40", "virtual GPU")}) {
    setenv("FAKE_CUPTI_REFUSES", code, 1);
    try {
      const RangeProfiler profiler(context(), kFolder, "traffic", RangeMode::kEachKernel, 2);
      ADD_FAILURE() << code;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDevice);
      EXPECT_THAT(error.reason(), HasSubstr(text));
    }
    unsetenv("FAKE_CUPTI_REFUSES");
  }
}

/// Counts what a session writes.
class Counted : public RecordSink {
 public:
  std::uint32_t name_of(std::string_view text) override {
    last_name = text;
    return 0;
  }
  void take(const spool::Record& record) override {
    ASSERT_EQ(record.kind, spool::Kind::kCounter);
    last = reinterpret_cast<const spool::Counter&>(record);
    ++n;
  }

  std::size_t n = 0;
  spool::Counter last = {};
  std::string last_name;
};

TEST(CounterSession, CollectsInTimeForTheRoomThereIs) {
  fake_counters_passes(1);
  Counted counted;
  CounterSession session(counted, kFolder.string(), "traffic");
  const std::size_t n_launches = CounterSession::kMostRanges + 7;
  for (std::size_t i = 0; i < n_launches; ++i) {
    EXPECT_EQ(session.launch(context(), "kernel"), CounterSession::Outcome::kCounted);
    fake_counters_launch();
  }
  EXPECT_EQ(counted.n, 4 * CounterSession::kMostRanges);  // four counters each; seven launches are still under way
  session.finish_all();
  EXPECT_EQ(counted.n, 4 * n_launches);
  EXPECT_EQ(counted.last.range, n_launches - 1);
  EXPECT_EQ(session.refusal(), "");
}

TEST(CounterSession, AContextThatEndsIsCollectedAlone) {
  Counted counted;
  CounterSession session(counted, kFolder.string(), "traffic");
  session.launch(context(), "kernel");
  fake_counters_launch();
  session.finish(nullptr);  // another one's
  EXPECT_EQ(counted.n, 0U);
  session.finish(context());
  EXPECT_EQ(counted.n, 4U);
}

TEST(CounterSession, IsRefusedOnceAndForAll) {
  setenv("FAKE_CUPTI_REFUSES", "35", 1);
  Counted counted;
  CounterSession session(counted, kFolder.string(), "traffic");
  EXPECT_EQ(session.launch(context(), "kernel"), CounterSession::Outcome::kRefused);
  unsetenv("FAKE_CUPTI_REFUSES");
  EXPECT_EQ(session.launch(context(), "kernel"), CounterSession::Outcome::kRefused);
  EXPECT_THAT(session.refusal(), HasSubstr("administrators"));
}

}  // namespace
}  // namespace dachlast::cupti
