#include "core/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <time.h>

#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

TEST(Partition, PiecesAreContiguousCoverAllAndDifferByAtMostOneGrain) {
  for (const std::int64_t n_units : {0, 1, 63, 64, 65, 1000, 4096}) {
    for (const int n_parts : {1, 2, 3, 7, 64}) {
      std::int64_t next = 0;
      for (int part = 0; part < n_parts; ++part) {
        const IndexRange range = partition(n_units, 64, n_parts, part);
        EXPECT_EQ(range.begin, next);
        EXPECT_TRUE(range.begin % 64 == 0 || range.begin == n_units);
        EXPECT_LE(range.size(), ((n_units + 63) / 64 + n_parts - 1) / n_parts * 64);
        next = range.end;
      }
      EXPECT_EQ(next, n_units);
    }
  }
}

TEST(Partition, LargerPiecesComeFirst) {
  // 5 grains of 10 for 3 parts: 2, 2, 1 grains; the last grain holds 47 − 40 = 7 units.
  EXPECT_EQ(partition(47, 10, 3, 0), (IndexRange{0, 20}));
  EXPECT_EQ(partition(47, 10, 3, 1), (IndexRange{20, 40}));
  EXPECT_EQ(partition(47, 10, 3, 2), (IndexRange{40, 47}));
}

TEST(ThreadPool, EveryThreadRunsOnceAndTheCallerIsThreadZero) {
  ThreadPool pool(4);
  std::vector<int> calls(4);
  std::thread::id first;
  pool.run([&](int thread) {
    ++calls[static_cast<std::size_t>(thread)];
    if (thread == 0) first = std::this_thread::get_id();
  });
  EXPECT_EQ(calls, (std::vector<int>{1, 1, 1, 1}));
  EXPECT_EQ(first, std::this_thread::get_id());
}

TEST(ThreadPool, ManyShortJobsInARowSeeEachOthersResults) {
  ThreadPool pool(3);
  std::vector<std::int64_t> values(300, 0);
  for (int round = 0; round < 2000; ++round)
    pool.parallel_for(300, 1, [&](IndexRange range, int) {
      // Reads what another thread wrote in the round before: a missing hand-over shows here or under TSan.
      for (auto i = range.begin; i < range.end; ++i) ++values[static_cast<std::size_t>((i + round) % 300)];
    });
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), std::int64_t{0}), 300 * 2000);
}

TEST(ThreadPool, WakesThreadsThatHaveGoneToSleep) {
  ThreadPool pool(2);
  std::vector<int> calls(2);
  for (int round = 0; round < 3; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // 40 times the spin time
    pool.run([&](int thread) { ++calls[static_cast<std::size_t>(thread)]; });
  }
  EXPECT_EQ(calls, (std::vector<int>{3, 3}));
}

TEST(ThreadPool, CallerSleepsUntilASlowWorkerIsDone) {
  ThreadPool pool(2);
  int slow = 0;
  pool.run([&](int thread) {
    if (thread == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    slow = 1;
  });
  EXPECT_EQ(slow, 1);
}

TEST(ThreadPool, IdleWorkersUseNoProcessorTime) {
  ThreadPool pool(4);
  pool.run([](int) {});
  std::this_thread::sleep_for(std::chrono::milliseconds(20));  // all have spun out
  const auto processor_ns = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1'000'000'000 + t.tv_nsec;
  };
  const auto before = processor_ns();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  // Three spinning workers would use up to 300 ms (200 ms on two cores); sleeping ones use microseconds.
  EXPECT_LT(processor_ns() - before, 30'000'000);
}

TEST(ThreadPool, ParallelForGivesEachThreadItsPartition) {
  ThreadPool pool(3);
  std::vector<IndexRange> seen(3);
  pool.parallel_for(47, 10, [&](IndexRange range, int thread) { seen[static_cast<std::size_t>(thread)] = range; });
  for (int thread = 0; thread < 3; ++thread)
    EXPECT_EQ(seen[static_cast<std::size_t>(thread)], partition(47, 10, 3, thread));
}

TEST(ThreadPool, ASingleGrainRunsOnTheCallerAndNothingRunsForNoUnits) {
  ThreadPool pool(2);
  int calls = 0;
  pool.parallel_for(8, 8, [&](IndexRange range, int thread) {
    ++calls;
    EXPECT_EQ(range, (IndexRange{0, 8}));
    EXPECT_EQ(thread, 0);
  });
  pool.parallel_for(0, 8, [&](IndexRange, int) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadPool, TheLowestThreadsExceptionReachesTheCallerAndThePoolLivesOn) {
  ThreadPool pool(4);
  for (int round = 0; round < 20; ++round) {
    try {
      pool.run([](int thread) {
        if (thread >= 2) throw std::runtime_error(std::to_string(thread));
      });
      FAIL() << "nothing was thrown";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "2");
    }
  }
  int calls = 0;
  pool.run([&](int thread) {
    if (thread == 0) ++calls;
  });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadPool, RefusesToHaveNoThreads) {
  EXPECT_THROW(ThreadPool(0), Error);
  EXPECT_THROW(ThreadPool(-3), Error);
}

std::vector<int> allowed_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  sched_getaffinity(0, sizeof mask, &mask);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &mask)) cores.push_back(core);
  return cores;
}

TEST(ThreadPool, PinsEachThreadToItsCoreAndGivesTheCallerItsMaskBack) {
  const std::vector<int> before = allowed_cores();
  const auto n_threads = static_cast<int>(before.size());
  {
    ThreadPool pool(n_threads, before);
    std::vector<std::vector<int>> masks(before.size());
    pool.run([&](int thread) { masks[static_cast<std::size_t>(thread)] = allowed_cores(); });
    for (std::size_t thread = 0; thread < before.size(); ++thread)
      EXPECT_EQ(masks[thread], std::vector<int>{before[thread]});
  }
  EXPECT_EQ(allowed_cores(), before);
}

TEST(ThreadPool, CoresThatDoNotExistAreTolerated) {
  ThreadPool pool(2, std::vector<int>{-1, 60000});
  std::vector<int> calls(2);
  pool.run([&](int thread) { ++calls[static_cast<std::size_t>(thread)]; });
  EXPECT_EQ(calls, (std::vector<int>{1, 1}));
}

}  // namespace
}  // namespace dachlast
