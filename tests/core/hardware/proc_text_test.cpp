#include "core/hardware/proc_text.h"

#include <gtest/gtest.h>

namespace dachlast::proc {
namespace {

TEST(ProcText, CpuNameIsTheFirstModelNameWithSingleBlanks) {
  constexpr auto cpuinfo =
      "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 85\n"
      "model name\t: Intel(R) Xeon(R)   CPU @ 2.00GHz \nprocessor\t: 1\nmodel name\t: other\n";
  EXPECT_EQ(cpu_name(cpuinfo), "Intel(R) Xeon(R) CPU @ 2.00GHz");
}

TEST(ProcText, CpuNameIsAbsentWhereTheKernelGivesNone) {
  EXPECT_EQ(cpu_name("processor\t: 0\nBogoMIPS\t: 50.00\nCPU implementer\t: 0x41\n"), std::nullopt);  // arm64
  EXPECT_EQ(cpu_name("model name\t: \n"), std::nullopt);
  EXPECT_EQ(cpu_name(""), std::nullopt);
}

TEST(ProcText, MeminfoRowsAreKibibytes) {
  constexpr auto meminfo = "MemTotal:       24684092 kB\nMemFree:           100 kB\nMemAvailable:   23640500 kB\n";
  EXPECT_EQ(meminfo_bytes(meminfo, "MemTotal"), 24684092.0 * 1024);
  EXPECT_EQ(meminfo_bytes(meminfo, "MemAvailable"), 23640500.0 * 1024);
  EXPECT_EQ(meminfo_bytes(meminfo, "SwapTotal"), std::nullopt);
  EXPECT_EQ(meminfo_bytes("MemTotal: lots kB\n", "MemTotal"), std::nullopt);
  EXPECT_EQ(meminfo_bytes("HugePages_Total:       4\n", "HugePages_Total"), std::nullopt);  // a count, not a size
}

TEST(ProcText, KeyedValueMatchesTheWholeKey) {
  constexpr auto stat = "cache 10\ninactive_file 4096\ntotal_inactive_file 8192\n";
  EXPECT_EQ(keyed_value(stat, "inactive_file"), 4096.0);
  EXPECT_EQ(keyed_value(stat, "total_inactive_file"), 8192.0);
  EXPECT_EQ(keyed_value(stat, "active_file"), std::nullopt);
}

TEST(ProcText, LimitsThatMeanNoneAreAbsent) {
  EXPECT_EQ(cgroup_limit("1073741824\n"), 1073741824.0);
  EXPECT_EQ(cgroup_limit("max\n"), std::nullopt);                  // version 2
  EXPECT_EQ(cgroup_limit("9223372036854771712\n"), std::nullopt);  // version 1: 2^63 − 4096
  EXPECT_EQ(cgroup_limit("-1\n"), std::nullopt);
  EXPECT_EQ(cgroup_limit(""), std::nullopt);
}

TEST(ProcText, CpuQuotaIsQuotaOverPeriod) {
  EXPECT_EQ(cgroup_cpus("150000 100000\n"), 1.5);
  EXPECT_EQ(cgroup_cpus("max 100000\n"), std::nullopt);
  EXPECT_EQ(cgroup_cpus("150000 0\n"), std::nullopt);
  EXPECT_EQ(cgroup_cpus(""), std::nullopt);
}

TEST(ProcText, FindsThePathOfAController) {
  constexpr auto hybrid = "9:name=systemd:/\n4:memory:/pod/a:b\n2:cpu,cpuacct:/quota\n0::/unified\n";
  EXPECT_EQ(cgroup_path(hybrid, "memory"), "/pod/a:b");
  EXPECT_EQ(cgroup_path(hybrid, "cpu"), "/quota");
  EXPECT_EQ(cgroup_path(hybrid, ""), "/unified");
  EXPECT_EQ(cgroup_path(hybrid, "cpuset"), std::nullopt);
  EXPECT_EQ(cgroup_path("nonsense", "memory"), std::nullopt);
}

}  // namespace
}  // namespace dachlast::proc
