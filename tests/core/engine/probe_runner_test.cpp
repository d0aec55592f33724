#include "core/engine/probe_runner.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "core/hardware/host.h"

namespace dachlast {
namespace {

using kernels::ProbePattern;
using kernels::StoreKind;

TEST(ProbeMemory, StartsOnAHugePageAndHoldsWhatWasAsked) {
  const ProbeMemory memory(3'000'000);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.floats().data()) % (2u << 20), 0u);
  EXPECT_GE(memory.floats().size() * sizeof(float), 3'000'000u);
  memory.floats().back() = 1.0f;  // mapped to its end
}

TEST(CutArrays, SharesTheBytesAmongTheArraysOfThePattern) {
  const ProbeMemory memory(probe_memory_bytes(24 * 1024));
  // 24 KiB in three arrays: 2048 floats each, 16 granules of 128.
  const kernels::ProbeArrays triad = cut_arrays(memory.floats(), ProbePattern::kTriad, 24 * 1024);
  EXPECT_EQ(triad.a.size(), 2048u);
  EXPECT_EQ(triad.b.size(), 2048u);
  EXPECT_EQ(triad.c.size(), 2048u);
  // Each starts 5 cache lines of 16 floats behind the end of the one before: no overlap, no equal page offsets.
  EXPECT_EQ(triad.b.data() - triad.a.data(), 2048 + 80);
  EXPECT_EQ(triad.c.data() - triad.b.data(), 2048 + 80);
  const kernels::ProbeArrays read = cut_arrays(memory.floats(), ProbePattern::kRead, 24 * 1024);
  EXPECT_EQ(read.a.size(), 6144u);
  EXPECT_TRUE(read.b.empty());
}

TEST(CutArrays, RoundsDownToGranulesButHandsOutOne) {
  const ProbeMemory memory(probe_memory_bytes(100));
  EXPECT_EQ(cut_arrays(memory.floats(), ProbePattern::kTriad, 100).a.size(), kernels::kProbeGranule);
  // 1300 floats in two arrays: 650 each, 5 granules of 128 = 640.
  EXPECT_EQ(cut_arrays(memory.floats(), ProbePattern::kCopy, 1300 * sizeof(float)).a.size(), 640u);
}

TEST(CutArrays, StaysWithinTheMemoryThatItAskedFor) {
  for (const std::size_t n_bytes : {std::size_t{100}, std::size_t{24576}, std::size_t{1} << 20}) {
    std::vector<float> room(probe_memory_bytes(n_bytes) / sizeof(float));
    for (const auto pattern : {ProbePattern::kRead, ProbePattern::kCopy, ProbePattern::kTriad}) {
      const kernels::ProbeArrays arrays = cut_arrays(room, pattern, n_bytes);
      const std::span<const float> last = arrays.c.empty() ? (arrays.b.empty() ? arrays.a : arrays.b) : arrays.c;
      EXPECT_LE(last.data() + last.size(), room.data() + room.size());
    }
  }
}

TEST(ProbeRunner, TimesEveryTeamAndGrowsWithTheWork) {
  const std::vector<int> cores = read_host_topology().core_ids;
  const auto n_threads = static_cast<int>(cores.size());
  std::vector<int> teams{1};
  if (n_threads > 1) teams.push_back(n_threads);
  const std::vector<std::size_t> memory(cores.size(), 64 * 1024);
  ProbeRunner runner(cores, teams, memory);
  EXPECT_TRUE(runner.is_pinned());
  const auto* read = kernels::bandwidth_variant_for(ProbePattern::kRead, StoreKind::kCached);
  const auto* fma = kernels::peak_variant_for(DType::kF32);
  for (const int team : teams) {
    const Seconds one = runner.time_passes(*read, team, 64 * 1024, 1);
    EXPECT_GT(one.value, 0.0);
    // Ten thousand times the work; a factor of 10 holds even where the single pass was interrupted for a while.
    EXPECT_GT(runner.time_passes(*read, team, 64 * 1024, 10'000).value, 10 * std::min(one.value, 1e-5));
    EXPECT_GT(runner.time_rounds(*fma, team, 1000).value, 0.0);
  }
}

}  // namespace
}  // namespace dachlast
