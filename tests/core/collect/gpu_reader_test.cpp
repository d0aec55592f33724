#include "core/collect/cupti/gpu_reader.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/collect/cupti/gpu_records.h"

namespace dachlast {
namespace {

using spool::Kind;

/// A file of GPU work in memory.
class GpuSpool {
 public:
  GpuSpool() {
    file_.pid = 10;
    file_.image = 1;
  }

  template <class Body>
  GpuSpool& add(Body body, Kind kind) {
    spool::with_head(body, kind);
    const auto* bytes = reinterpret_cast<const char*>(&body);
    file_.records.insert(file_.records.end(), bytes, bytes + sizeof(body));
    return *this;
  }
  GpuSpool& call(std::uint32_t correlation, std::uint64_t start_ns, std::uint64_t end_ns, std::uint32_t thread) {
    spool::ApiCall call{};
    call.correlation = correlation;
    call.start_ns = start_ns;
    call.end_ns = end_ns;
    call.thread = thread;
    return add(call, Kind::kApiCall);
  }
  GpuSpool& work(std::uint32_t correlation, std::uint64_t start_ns) {
    spool::GpuWork work{};
    work.correlation = correlation;
    work.start_ns = start_ns;
    work.end_ns = start_ns + 5;
    return add(work, Kind::kGpuWork);
  }
  GpuSpool& memory(std::uint64_t at_ns, std::uint32_t operation, std::uint64_t address, std::uint64_t bytes) {
    spool::Allocation event{};
    event.at_ns = at_ns;
    event.operation = operation;
    event.address = address;
    event.bytes = bytes;
    event.memory_kind = 3;
    return add(event, Kind::kAllocation);
  }
  GpuSpool& clocks(std::uint64_t cupti_ns, std::int64_t monotonic_ns) {
    return add(spool::ClockPair{{}, cupti_ns, monotonic_ns}, Kind::kClockPair);
  }

  AttachRecord read(AttachRecord record = {}) const {
    std::map<ProgramKey, std::int32_t> processes;
    if (!record.processes.empty()) processes[{10, 1}] = 0;
    add_gpu_work({&file_, 1}, processes, record);
    return record;
  }

 private:
  SpoolFile file_;
};

TEST(AddGpuWork, TheOuterCallLaunchesWhateverTheOrder) {
  // The driver's call lies within the runtime's; both carry number 7, and records come as they like.
  const AttachRecord record = GpuSpool().call(7, 120, 130, 55).work(7, 200).call(7, 100, 140, 55).work(8, 50).read();
  ASSERT_EQ(record.gpu.work.size(), 2U);
  EXPECT_EQ(record.gpu.work[0].start_ns, 50);  // by start
  EXPECT_EQ(record.gpu.work[0].thread, kNoThread);
  EXPECT_EQ(record.gpu.work[1].launch_start_ns, 100);
  EXPECT_EQ(record.gpu.work[1].launch_end_ns, 140);
  ASSERT_EQ(record.threads.size(), 1U);
  EXPECT_EQ(record.threads[0].tid, 55);
}

TEST(AddGpuWork, ThreadsAreThoseOfTheSameProcess) {
  AttachRecord known;
  known.processes = {{10, 1, "engine"}, {11, 1, "other"}};
  known.threads = {{1, 55, "other's", 0}, {0, 55, "mine", 0}};
  const AttachRecord record = GpuSpool().call(7, 100, 140, 55).work(7, 200).read(known);
  EXPECT_EQ(record.gpu.work.at(0).thread, 1);
  EXPECT_EQ(record.threads.size(), 2U);
  EXPECT_EQ(record.processes.size(), 2U);
}

TEST(AddGpuWork, MemoryIsFollowedInTimeNotInOrder) {
  // 100 taken at 1, 50 at 2, 100 given back at 3, 80 at 3 in its place, which comes after: the peak is 150.
  const AttachRecord record = GpuSpool()
                                  .memory(3, 1, 0x10, 80)
                                  .memory(1, 1, 0x10, 100)
                                  .memory(3, 2, 0x10, 100)
                                  .memory(2, 1, 0x20, 50)
                                  .memory(9, 2, 0x77, 1)
                                  .read();
  ASSERT_EQ(record.gpu.memory.size(), 1U);
  EXPECT_EQ(record.gpu.memory[0].peak_bytes, 150);
  EXPECT_EQ(record.gpu.memory[0].end_bytes, 130);  // 50 + 80
  EXPECT_EQ(record.gpu.memory[0].n_allocations, 3);
}

TEST(AddGpuWork, LossesAddUp) {
  spool::Loss loss{{}, 3, 1, 40};
  const AttachRecord record = GpuSpool().add(loss, Kind::kLoss).add(loss, Kind::kLoss).read();
  ASSERT_EQ(record.gpu.losses.size(), 1U);
  EXPECT_EQ(record.gpu.losses[0].n_dropped, 6);
  EXPECT_EQ(record.gpu.losses[0].n_unknown, 2);
  EXPECT_EQ(record.gpu.losses[0].lost_bytes, 80);
}

TEST(AddGpuWork, TimesAreThoseOfTheRanges) {
  const AttachRecord record = GpuSpool().clocks(1'000'000, 500).clocks(1'002'000, 2500).work(1, 1'001'000).read();
  EXPECT_EQ(record.gpu.work.at(0).start_ns, 1500);
}

TEST(AddGpuWork, SamplesArePlacedBetweenTheBoundsOfTheirClock) {
  // CUPTI's clock is 999,500 ahead of ours. Sampling was asked for at 1,000,000 of it, the samples' clock then stood at 40
  // or later; sample 140 had ended when CUPTI's stood at 1,000,400.
  spool::Sample sample{};
  sample.start_ns = 40;
  sample.end_ns = 140;
  sample.read_bytes = 4096;
  sample.written_bytes = 512;
  sample.device = 1;
  const AttachRecord record =
      GpuSpool()
          .add(sample, Kind::kSample)
          .add(spool::SampleTie{{}, 140, 1'000'400, spool::TieSide::kNotAfter, 1}, Kind::kSampleTie)
          .add(spool::SampleTie{{}, 40, 1'000'000, spool::TieSide::kNotBefore, 1}, Kind::kSampleTie)
          .clocks(1'000'000, 500)
          .read();
  ASSERT_EQ(record.gpu.samples.size(), 1U);
  // 140 is 600 (500 + 140 − 40) at the earliest and 900 at the latest, each loosened by one nanosecond at most: 750 ± 150.
  EXPECT_NEAR(static_cast<double>(record.gpu.samples[0].end_ns), 750.0, 1.0);
  EXPECT_NEAR(static_cast<double>(*record.gpu.samples[0].uncertainty_ns), 150.0, 1.0);
  EXPECT_EQ(record.gpu.samples[0].end_ns - record.gpu.samples[0].start_ns, 100);
  EXPECT_EQ(record.gpu.samples[0].device, 1);
  EXPECT_DOUBLE_EQ(record.gpu.samples[0].read_bytes, 4096.0);
  EXPECT_DOUBLE_EQ(record.gpu.samples[0].written_bytes, 512.0);
}

TEST(AddGpuWork, SamplesWithoutBoundsAreKeptUnplaced) {
  spool::Sample sample{};
  sample.start_ns = 40;
  sample.end_ns = 140;
  const AttachRecord record = GpuSpool().add(sample, Kind::kSample).clocks(1'000'000, 500).read();
  ASSERT_EQ(record.gpu.samples.size(), 1U);
  EXPECT_FALSE(record.gpu.samples[0].uncertainty_ns);
  EXPECT_EQ(record.gpu.samples[0].end_ns, 140);
}

TEST(ClockTies, GoStraightBetweenMomentsAndAlikeOutside) {
  ClockTies ties;
  ties.add(3000, 1300);  // out of order on purpose
  ties.add(1000, 100);
  ties.finish();
  EXPECT_EQ(ties.monotonic_ns(2000), 700);   // 100 + 1200 / 2
  EXPECT_EQ(ties.monotonic_ns(900), 0);      // 100 - 100
  EXPECT_EQ(ties.monotonic_ns(3500), 1800);  // 1300 + 500
}

TEST(ClockTies, WithoutAMomentTimesStay) {
  EXPECT_EQ(ClockTies().monotonic_ns(17), 17);
}

}  // namespace
}  // namespace dachlast
