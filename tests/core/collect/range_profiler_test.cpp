#include "core/collect/cupti/range_profiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/error.h"
#include "core/collect/cupti/counter_session.h"
#include "core/collect/cupti/pm_sampler.h"
#include "core/collect/cupti/sampling_session.h"
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

// -------- samples

TEST(PmSampler, DrainsByTurnsAndLeavesOutSamplesWithoutLength) {
  PmSampler sampler(context(), kFolder);
  EXPECT_EQ(sampler.set().name, "sampling");
  fake_counters_sample(2 * static_cast<int>(PmSampler::kMostSamples) + 5);  // an image and another one, and five
  const std::vector<PmSample> samples = sampler.drain();
  // 8,197 samples, of which numbers 9, 19, … 8,189 have no length: 819.
  ASSERT_EQ(samples.size(), 8197U - 819U);
  EXPECT_EQ(samples[0].end_ns - samples[0].start_ns, 100000U);
  EXPECT_EQ(samples.back().start_ns, 8196U * 100000U);
  // The stand-in's values: 1000 · index in the image + metric; the last one is the fifth of its image.
  EXPECT_DOUBLE_EQ(samples.back().values.at(1), 4001.0);
  EXPECT_TRUE(sampler.drain().empty());
  EXPECT_FALSE(sampler.overflowed());
}

TEST(PmSampler, WhatIsLeftWhenItStopsIsDrainedAndTheGpuLetGo) {
  {
    PmSampler sampler(context(), kFolder);
    fake_counters_sample(3);
    sampler.stop();
    fake_counters_sample(3);  // nobody samples any more
    EXPECT_EQ(sampler.drain().size(), 3U);
    EXPECT_EQ(fake_counters_sampling(), 1);
  }
  EXPECT_EQ(fake_counters_sampling(), 0);
  { const PmSampler running(context(), kFolder); }
  EXPECT_EQ(fake_counters_sampling(), 0);
}

TEST(PmSampler, AFullBufferIsRemembered) {
  PmSampler sampler(context(), kFolder);
  fake_counters_overflow();
  sampler.drain();
  sampler.drain();
  EXPECT_TRUE(sampler.overflowed());
}

TEST(PmSampler, RefusalsNameTheirCauseAndLetTheGpuGo) {
  setenv("FAKE_CUPTI_REFUSES_SAMPLES", "35", 1);
  try {
    const PmSampler sampler(context(), kFolder);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.reason(), HasSubstr("administrators"));
  }
  unsetenv("FAKE_CUPTI_REFUSES_SAMPLES");
  EXPECT_EQ(fake_counters_sampling(), 0);
}

TEST(PmSampler, ChipsWithoutATriggerByTimeTakeTheirClock) {
  EXPECT_EQ(sample_trigger("GA100"), SampleTrigger::kClock);
  EXPECT_EQ(sample_trigger("TU102"), SampleTrigger::kClock);
  for (const char* chip : {"GA102", "GH100", "GB202"}) EXPECT_EQ(sample_trigger(chip), SampleTrigger::kTime) << chip;
}

/// Keeps what a session writes of samples.
class SampleSink : public RecordSink {
 public:
  std::uint32_t name_of(std::string_view) override { return 0; }
  void take(const spool::Record& record) override {
    if (record.kind == spool::Kind::kSample) samples.push_back(reinterpret_cast<const spool::Sample&>(record));
    if (record.kind == spool::Kind::kSampleTie) ties.push_back(reinterpret_cast<const spool::SampleTie&>(record));
  }

  std::vector<spool::Sample> samples;
  std::vector<spool::SampleTie> ties;
};

TEST(SamplingSession, WritesEverySampleAndWhatBoundsItsClock) {
  SampleSink sink;
  SamplingSession session(sink, kFolder.string());
  const auto start = SamplingSession::Clock::time_point{};
  session.launch(context(), start);
  fake_counters_sample(3);
  session.launch(context(), start + std::chrono::milliseconds(100));  // too early
  EXPECT_TRUE(sink.samples.empty());
  session.launch(context(), start + SamplingSession::kBetweenCollections);
  ASSERT_EQ(sink.samples.size(), 3U);
  EXPECT_EQ(sink.samples[2].start_ns, 200'000U);  // the stand-in's samples are 100 µs long
  EXPECT_EQ(sink.samples[2].end_ns, 300'000U);
  EXPECT_DOUBLE_EQ(sink.samples[2].read_bytes, 2000.0);  // 1000 · sample + metric
  EXPECT_DOUBLE_EQ(sink.samples[2].written_bytes, 2001.0);
  fake_counters_sample(2);
  session.finish_all();
  EXPECT_EQ(sink.samples.size(), 5U);
  EXPECT_EQ(session.refusal(), "");
  EXPECT_FALSE(session.overflowed());
  EXPECT_EQ(fake_counters_sampling(), 0);
  ASSERT_EQ(sink.ties.size(), 3U);  // the beginning once, the end of each collection
  EXPECT_EQ(sink.ties[0].side, spool::TieSide::kNotBefore);
  EXPECT_EQ(sink.ties[0].sample_ns, 0U);
  EXPECT_EQ(sink.ties[1].side, spool::TieSide::kNotAfter);
  EXPECT_EQ(sink.ties[1].sample_ns, 300'000U);
  EXPECT_EQ(sink.ties[2].sample_ns, 500'000U);
  EXPECT_LE(sink.ties[0].cupti_ns, sink.ties[1].cupti_ns);  // read in this order
  EXPECT_LE(sink.ties[1].cupti_ns, sink.ties[2].cupti_ns);
}

TEST(SamplingSession, SamplesAGpuOnceForAllItsContexts) {
  static int other = 0;
  Counted counted;
  SamplingSession session(counted, kFolder.string());
  session.launch(context());
  session.launch(reinterpret_cast<CUctx_st*>(&other));
  EXPECT_EQ(session.refusal(), "");  // the stand-in refuses to be set up twice
}

TEST(SamplingSession, IsRefusedOnceAndForAll) {
  setenv("FAKE_CUPTI_REFUSES_SAMPLES", "35", 1);
  Counted counted;
  SamplingSession session(counted, kFolder.string());
  session.launch(context());
  unsetenv("FAKE_CUPTI_REFUSES_SAMPLES");
  session.launch(context());
  session.finish_all();
  EXPECT_THAT(session.refusal(), HasSubstr("administrators"));
  EXPECT_EQ(counted.n, 0U);
}

}  // namespace
}  // namespace dachlast::cupti
