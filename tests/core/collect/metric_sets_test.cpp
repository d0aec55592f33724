#include "core/collect/cupti/metric_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/collect/cupti/metric_host.h"
#include "core/collect/cupti/refusal.h"
#include "tests/core/store/temporary_folder.h"

// The host side of the real CUPTI knows every chip's counters without a driver: each name and each number of passes of our
// lists is asked of it.
namespace dachlast::cupti {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const fs::path kFolder = DACHLAST_METRIC_SETS_DIR;

int counted_passes(const std::string& chip, const MetricSet& set) {
  MetricHost host(chip, set.name == kSamplingSet ? ProfilerKind::kSampling : ProfilerKind::kRange);
  host.add(set.names());
  return host.n_passes(host.config_image());
}

TEST(MetricSets, EveryChipOfTheLibraryHasItsList) {
  int n_lists = 0;
  for (const std::string& chip : known_chips()) {
    if (chip == "GV11B") continue;  // known by name alone: CUPTI refuses its metrics (27)
    EXPECT_FALSE(read_metric_sets(kFolder, chip).empty()) << chip;
    ++n_lists;
  }
  const auto n_files = std::distance(fs::directory_iterator(kFolder), fs::directory_iterator());
  EXPECT_LE(n_lists, n_files);  // an older library knows fewer chips
  EXPECT_GE(n_lists, 29);
}

TEST(MetricSets, EveryNameIsKnownAndEveryNumberOfPassesRight) {
  for (const std::string& chip : known_chips()) {
    if (chip == "GV11B") continue;
    for (const MetricSet& set : read_metric_sets(kFolder, chip))
      EXPECT_EQ(counted_passes(chip, set), set.n_passes) << chip << ' ' << set.name;
  }
}

TEST(MetricSets, SamplingTakesOnePassAndTrafficToo) {
  for (const auto& entry : fs::directory_iterator(kFolder))
    for (const MetricSet& set : read_metric_sets(kFolder, entry.path().stem().string())) {
      const bool is_quick = set.name == kSamplingSet || set.name == "traffic";
      EXPECT_TRUE(!is_quick || set.n_passes == 1) << entry.path() << ' ' << set.name;
    }
}

TEST(MetricSets, RolesAreTheSameOnAllChipsAndUniqueInASet) {
  for (const auto& entry : fs::directory_iterator(kFolder))
    for (const MetricSet& set : read_metric_sets(kFolder, entry.path().stem().string())) {
      std::set<std::string> roles;
      for (const Metric& metric : set.metrics) {
        EXPECT_TRUE(roles.insert(metric.role).second) << entry.path() << ' ' << metric.role;
        EXPECT_TRUE(metric.role.starts_with("tensor_") || metric.role.starts_with("fp32_") ||
                    metric.role.ends_with("_bytes") || metric.role.ends_with("_share_percent") ||
                    metric.role == "time_ns")
            << metric.role;
      }
    }
}

TEST(MetricSets, WorkOfAnH100IsCountedByItsOwnNames) {
  const auto sets = read_metric_sets(kFolder, "GH100");
  const auto names = find_metric_set(sets, "tensor").names();
  EXPECT_NE(std::find(names.begin(), names.end(), "sm__ops_path_tensor_src_fp8.sum"), names.end());
  EXPECT_EQ(find_metric_set(sets, "roofline").n_passes, 15);
}

TEST(MetricHost, NamesWithoutRollupsAreRefusedByName) {
  MetricHost host("GH100", ProfilerKind::kRange);
  const std::vector<std::string> metrics = {"gpu__time_duration.sum", "dram__no_such_bytes.sum"};
  try {
    host.add(metrics);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.subject(), "dram__no_such_bytes.sum");
  }
}

TEST(MetricHost, UnknownChipsAreRefused) {
  EXPECT_THROW(MetricHost("XX999", ProfilerKind::kRange), Error);
}

TEST(ReadMetricSets, UnknownChipsAndDamagedListsAreNamed) {
  try {
    read_metric_sets(kFolder, "XX999");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_THAT(error.what(), HasSubstr("XX999"));
  }
  const testing::TemporaryFolder folder;
  std::ofstream(folder / "A.csv") << "set,passes,role,metric\ntraffic,none,time_ns,x.sum\n";
  std::ofstream(folder / "B.csv") << "set,passes,role\ntraffic,1,time_ns\n";
  std::ofstream(folder / "C.csv") << "set,passes,role,metric\nt,1,a,x.sum\nt,2,b,y.sum\n";
  for (const char* chip : {"A", "B", "C"}) EXPECT_THROW(read_metric_sets(folder.path(), chip), Error) << chip;
}

TEST(FindMetricSet, SaysWhichThereAre) {
  try {
    find_metric_set(read_metric_sets(kFolder, "GA100"), "everything");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.way_out(), HasSubstr("traffic"));
  }
}

TEST(CounterRefusal, NamesTheCauseOfEachCode) {
  EXPECT_THAT(std::string(counter_refusal(35).way_out), HasSubstr("NVreg_RestrictProfilingToAdminUsers=0"));
  EXPECT_THAT(std::string(counter_refusal(33).reason), HasSubstr("virtual"));
  EXPECT_THAT(std::string(counter_refusal(40).reason), HasSubstr("virtual"));
  EXPECT_THAT(std::string(counter_refusal(39).reason), HasSubstr("another profiler"));
  EXPECT_FALSE(counter_refusal(12345).reason.empty());
}

}  // namespace
}  // namespace dachlast::cupti
