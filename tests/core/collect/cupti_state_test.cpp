#include "core/collect/cupti/cupti_state.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/core/store/temporary_folder.h"

namespace dachlast {
namespace {

CounterAccess access(const std::string& params, const std::string& status) {
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "params") << params;
  std::ofstream(folder / "status") << status;
  return read_counter_access(folder / "params", folder / "status");
}

TEST(CounterAccess, FollowsTheDriversSwitchAndTheRankOfTheProcess) {
  // Bit 21 is CAP_SYS_ADMIN: 0x200000.
  EXPECT_EQ(access("ResmanDebugLevel: 4294967295\nRmProfilingAdminOnly: 0\n", "CapEff:\t0\n"),
            CounterAccess::kEveryone);
  EXPECT_EQ(access("RmProfilingAdminOnly: 1\n", "Name:\tx\nCapEff:\t0000000000200000\n"), CounterAccess::kByRank);
  EXPECT_EQ(access("RmProfilingAdminOnly: 1\n", "CapEff:\t00000000a00425fb\n"), CounterAccess::kRestricted);
  EXPECT_EQ(access("RmProfilingAdminOnly: 1\n", ""), CounterAccess::kRestricted);
}

TEST(CounterAccess, SilenceIsNoPermission) {
  EXPECT_EQ(access("RmProfilingAdminOnlyElse: 0\n", "CapEff:\tff\n"), CounterAccess::kUnknown);
  EXPECT_EQ(read_counter_access("/nonexistent", "/nonexistent"), CounterAccess::kUnknown);
}

TEST(CuptiVersionText, ReadsTheNumberOfItsLibrary) {
  EXPECT_EQ(cupti_version_text(130001), "13.0, update 1");
  EXPECT_EQ(cupti_version_text(130100), "13.1");
}

}  // namespace
}  // namespace dachlast
