#include "core/engine/calibration_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace dachlast {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

constexpr double kMemory = 64 * kGiB;

/// Two cores with 32 KiB + 1 MiB each under one L3 of 32 MiB.
HostTopology two_cores() {
  HostTopology host;
  host.n_cores = 2;
  host.core_ids = {0, 1};
  host.caches = {{1, 32 * kKiB, 2}, {2, 1 * kMiB, 2}, {3, 32 * kMiB, 1}};
  return host;
}

std::optional<std::size_t> bytes_per_thread(const CalibrationPlan& plan, MemoryLevel level, int n_threads) {
  for (const WorkingSet& set : plan.working_sets)
    if (set.level == level && set.n_threads == n_threads) return set.bytes_per_thread;
  return std::nullopt;
}

TEST(CalibrationPlan, EveryNumberOfThreadsUpToFourThenPowersOfTwo) {
  EXPECT_THAT(calibration_team_sizes(1), ElementsAre(1));
  EXPECT_THAT(calibration_team_sizes(3), ElementsAre(1, 2, 3));
  EXPECT_THAT(calibration_team_sizes(4), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(calibration_team_sizes(6), ElementsAre(1, 2, 4, 6));
  EXPECT_THAT(calibration_team_sizes(64), ElementsAre(1, 2, 4, 8, 16, 32, 64));
}

TEST(CalibrationPlan, TakesHalfOfACoresShareOfEachCache) {
  const CalibrationPlan plan = plan_calibration(two_cores(), 2, kMemory);
  EXPECT_THAT(plan.remarks, IsEmpty());
  for (const int n_threads : {1, 2}) {
    EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kL1, n_threads), 16u << 10);
    EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kL2, n_threads), 512u << 10);
    EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kL3, n_threads), 8u << 20);  // 32 MiB / 2 cores / 2
  }
}

TEST(CalibrationPlan, DramIsOneGibibyteOrFourTimesTheLastCache) {
  // 4 · 32 MiB is less than 1 GiB.
  const CalibrationPlan small = plan_calibration(two_cores(), 2, kMemory);
  EXPECT_EQ(bytes_per_thread(small, MemoryLevel::kDram, 1), 1u << 30);
  EXPECT_EQ(bytes_per_thread(small, MemoryLevel::kDram, 2), 512u << 20);
  EXPECT_THAT(small.memory_bytes, ElementsAre(1u << 30, 512u << 20));
  HostTopology large = two_cores();
  large.caches[2] = {3, 384 * kMiB, 1};
  EXPECT_EQ(bytes_per_thread(plan_calibration(large, 1, kMemory), MemoryLevel::kDram, 1), std::size_t{1536} << 20);
}

TEST(CalibrationPlan, MemoryOfAllTeamsStaysWithinTheLimit) {
  // Thread 0 needs the whole set, thread 1 half of it: 1.5 sets in 0.3 GiB leave 0.2 GiB.
  const CalibrationPlan plan = plan_calibration(two_cores(), 2, 0.3 * kGiB);
  std::size_t sum = 0;
  for (const std::size_t bytes : plan.memory_bytes) sum += bytes;
  EXPECT_LE(static_cast<double>(sum), 0.3 * kGiB);
  EXPECT_NEAR(static_cast<double>(*bytes_per_thread(plan, MemoryLevel::kDram, 1)), 0.2 * kGiB, 64 * kKiB);
  EXPECT_THAT(plan.remarks, IsEmpty());  // 205 MiB are still more than 4 · 32 MiB
}

TEST(CalibrationPlan, SaysWhenMemoryIsShortForDram) {
  // 96 MiB / 1.5 = 64 MiB: twice the L3.
  EXPECT_THAT(plan_calibration(two_cores(), 2, 96 * kMiB).remarks,
              Contains(Field(&LoadRemark::code, "small_working_set")));
  // 48 MiB / 1.5 = 32 MiB: the L3 itself.
  const CalibrationPlan none = plan_calibration(two_cores(), 2, 48 * kMiB);
  EXPECT_THAT(none.remarks, ElementsAre(Field(&LoadRemark::code, "level_not_measured")));
  EXPECT_EQ(bytes_per_thread(none, MemoryLevel::kDram, 1), std::nullopt);
}

TEST(CalibrationPlan, AnL3SliceSmallerThanL2IsMeasuredOnlyWithFewThreads) {
  // 16 cores with 2 MiB L2 each under one L3 of 30 MiB: a set must exceed 2 · 2 MiB to leave the L2s; five of those
  // fill 20 of the 22.5 MiB that may be filled, eight do not fit.
  HostTopology host = two_cores();
  host.n_cores = 16;
  host.caches = {{1, 48 * kKiB, 16}, {2, 2 * kMiB, 16}, {3, 30 * kMiB, 1}};
  const CalibrationPlan plan = plan_calibration(host, 16, kMemory);
  EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kL3, 4), 4u << 20);
  EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kL3, 8), std::nullopt);
  EXPECT_THAT(plan.remarks, Contains(Field(&LoadRemark::code, "level_not_measured")));
}

TEST(CalibrationPlan, HiddenCachesAreLeftOutWithARemark) {
  HostTopology host = two_cores();
  host.caches.clear();
  const CalibrationPlan plan = plan_calibration(host, 1, kMemory);
  EXPECT_EQ(plan.remarks.size(), 3u);
  EXPECT_THAT(plan.remarks, Contains(Field(&LoadRemark::code, "no_cache_size")));
  EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kL1, 1), std::nullopt);
  EXPECT_EQ(bytes_per_thread(plan, MemoryLevel::kDram, 1), 1u << 30);
}

}  // namespace
}  // namespace dachlast
