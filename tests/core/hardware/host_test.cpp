#include "core/hardware/host.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Makes hwloc describe another machine while it lives.
class SyntheticTopology {
 public:
  explicit SyntheticTopology(const char* description) { setenv("HWLOC_SYNTHETIC", description, 1); }
  ~SyntheticTopology() { unsetenv("HWLOC_SYNTHETIC"); }
  SyntheticTopology(const SyntheticTopology&) = delete;
  SyntheticTopology& operator=(const SyntheticTopology&) = delete;
};

TEST(Host, ReadsTwoSocketsWithTwoThreadsACore) {
  const SyntheticTopology machine("pack:2 numa:1 l3:2(size=32MB) l2:4(size=1MB) l1d:1(size=48KB) core:1 pu:2");
  const HostTopology host = read_host_topology();
  EXPECT_EQ(host.n_packages, 2);
  EXPECT_EQ(host.n_numa_nodes, 2);
  EXPECT_EQ(host.n_cores, 16);  // 2 · 2 · 4
  EXPECT_EQ(host.n_hardware_threads, 32);
  ASSERT_EQ(host.caches.size(), 3u);
  EXPECT_EQ(host.caches[0].n_instances, 16);
  EXPECT_EQ(host.caches[2].level, 3);
  EXPECT_EQ(host.caches[2].n_instances, 4);
  // hwloc's "MB" in a description is 10^6 or 2^20 depending on its release.
  EXPECT_NEAR(host.caches[2].size_bytes, 32e6, 2e6);
}

TEST(Host, CachesThatTheOsHidesAreAbsent) {
  const SyntheticTopology machine("numa:1 core:4 pu:1");
  const HostTopology host = read_host_topology();
  EXPECT_THAT(host.caches, IsEmpty());
  EXPECT_EQ(host.n_cores, 4);
}

TEST(Host, ThisComputerHasCoresMemoryAndAnIdentity) {
  const HostTopology host = read_host_topology();
  EXPECT_GE(host.n_cores, 1);
  EXPECT_GE(host.n_hardware_threads, host.n_cores);
  ASSERT_FALSE(host.core_ids.empty());
  EXPECT_LE(static_cast<int>(host.core_ids.size()), host.n_cores);
  EXPECT_GT(host.memory_bytes, 64.0 * 1024 * 1024);
  EXPECT_GT(host.available_memory_bytes, 0.0);
  EXPECT_LE(host.available_memory_bytes, host.memory_bytes);
  EXPECT_THAT(host_id(), testing::MatchesRegex("[0-9a-f]{16}"));
  EXPECT_EQ(host_id(), host_id());
}

TEST(PickCoreIds, OneThreadPerCoreWithinTheMask) {
  const std::vector<std::vector<int>> cores{{0, 4}, {1, 5}, {2, 6}, {3, 7}};
  EXPECT_THAT(pick_core_ids(cores, {}, 0.0), ElementsAre(0, 1, 2, 3));
  // Allowed: 1, 4, 6, 7. Core 0 keeps its second thread, core 1 its first.
  const std::vector<bool> allowed{false, true, false, false, true, false, true, true};
  EXPECT_THAT(pick_core_ids(cores, allowed, 0.0), ElementsAre(4, 1, 6, 7));
  // Threads beyond the end of the mask are not allowed.
  EXPECT_THAT(pick_core_ids(cores, {true, true}, 0.0), ElementsAre(0, 1));
}

TEST(PickCoreIds, AQuotaLimitsTheCores) {
  const std::vector<std::vector<int>> cores{{0}, {1}, {2}, {3}};
  EXPECT_THAT(pick_core_ids(cores, {}, 1.5), ElementsAre(0, 1));  // one and a half processors keep two cores busy
  EXPECT_THAT(pick_core_ids(cores, {}, 0.2), ElementsAre(0));
  EXPECT_THAT(pick_core_ids(cores, {}, 64.0), ElementsAre(0, 1, 2, 3));
}

TEST(HostId, DependsOnMachineAndCpuAndShowsNeither) {
  const std::string id = host_id_of("machine", "cpu");
  EXPECT_NE(id, host_id_of("machine2", "cpu"));
  EXPECT_NE(id, host_id_of("machine", "cpu2"));
  EXPECT_NE(host_id_of("ab", "c"), host_id_of("a", "bc"));
  // The published FNV-1a hash of "a" is af63dc4c8601ec8c; the separator '\n' = 0x0a follows, then nothing.
  std::uint64_t hash = 0xaf63dc4c8601ec8cu;
  hash = (hash ^ 0x0au) * 0x100000001b3u;
  EXPECT_EQ(std::stoull(host_id_of("a", ""), nullptr, 16), hash);
}

}  // namespace
}  // namespace dachlast
