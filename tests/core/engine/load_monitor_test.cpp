#include "core/engine/load_monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace dachlast {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kProcStat =
    "cpu  300 10 100 1000 40 5 15 30 7 0\n"
    "cpu0 100 10 50 600 20 5 5 10 7 0\n"
    "cpu1 200 0 50 400 20 0 10 20 0 0\n"
    "cpu10 999 0 0 0 0 0 0 0 0 0\n"
    "intr 12345\nctxt 1\n";

TEST(CpuTimes, SumsTheRowsOfTheGivenProcessors) {
  const std::vector<int> both{0, 1};
  const auto times = parse_cpu_times(kProcStat, both, 100.0);
  ASSERT_TRUE(times);
  // user nice system irq softirq steal: 100+10+50+5+5+10 = 180 and 200+0+50+0+10+20 = 280 ticks of 10 ms.
  EXPECT_DOUBLE_EQ(times->busy.value, 4.6);
  EXPECT_DOUBLE_EQ(times->stolen.value, 0.3);
  EXPECT_DOUBLE_EQ(times->idle.value, 10.4);  // 600 + 20 + 400 + 20
}

TEST(CpuTimes, WithoutProcessorsItTakesAllOfThem) {
  const auto times = parse_cpu_times(kProcStat, {}, 100.0);
  ASSERT_TRUE(times);
  EXPECT_DOUBLE_EQ(times->busy.value, 4.6);  // 300+10+100+5+15+30
}

TEST(CpuTimes, Cpu1IsNotCpu10) {
  const std::vector<int> one{1};
  EXPECT_DOUBLE_EQ(parse_cpu_times(kProcStat, one, 100.0)->busy.value, 2.8);
}

TEST(CpuTimes, MissingOrShortRowsAreAbsent) {
  const std::vector<int> seven{7};
  EXPECT_FALSE(parse_cpu_times(kProcStat, seven, 100.0));
  EXPECT_FALSE(parse_cpu_times("cpu  1 2 3\n", {}, 100.0));
  EXPECT_FALSE(parse_cpu_times("", {}, 100.0));
}

TEST(OthersShare, IsWhatNeitherWeNorIdlenessUsed) {
  const CpuTimes before{.busy = {10.0}, .stolen = {0.0}, .idle = {100.0}};
  const CpuTimes after{.busy = {13.0}, .stolen = {0.0}, .idle = {101.0}};
  // 3 s busy, 1 s idle, 2 s of it ours: (3 − 2) / 4.
  EXPECT_DOUBLE_EQ(*others_share(before, after, Seconds{2.0}), 0.25);
  // Accounting by ticks can credit us with more than the processors were busy.
  EXPECT_DOUBLE_EQ(*others_share(before, after, Seconds{3.5}), 0.0);
}

TEST(OthersShare, IsAbsentForShortIntervals) {
  const CpuTimes before{.busy = {10.0}, .stolen = {}, .idle = {100.0}};
  const CpuTimes after{.busy = {10.1}, .stolen = {}, .idle = {100.05}};
  EXPECT_FALSE(others_share(before, after, Seconds{0.1}));
}

TEST(LoadRemarks, NameWhatExceedsItsLimit) {
  EXPECT_THAT(remarks_of({.others_share = 0.04, .stolen_share = {}, .slowdown = -0.02}), IsEmpty());
  EXPECT_THAT(remarks_of({}), IsEmpty());
  EXPECT_THAT(
      remarks_of({.others_share = 0.12, .stolen_share = {}, .slowdown = 0.0}),
      ElementsAre(AllOf(Field(&LoadRemark::code, "competing_load"), Field(&LoadRemark::text, HasSubstr("12 %")))));
  EXPECT_THAT(
      remarks_of({.others_share = 0.3, .stolen_share = 0.2, .slowdown = 0.18}),
      ElementsAre(Field(&LoadRemark::text, HasSubstr("hypervisor gave 20 %")),
                  AllOf(Field(&LoadRemark::code, "clock_drift"), Field(&LoadRemark::text, HasSubstr("18 % longer")))));
}

TEST(LoadMonitor, ReadsThisComputer) {
  LoadMonitor monitor;
  const LoadReading reading = monitor.finish();
  EXPECT_GT(reading.slowdown, -1.0);  // a time, so positive
  if (reading.others_share) {
    EXPECT_GE(*reading.others_share, 0.0);
    EXPECT_LE(*reading.others_share, 1.0);
  }
  EXPECT_GT(time_fixed_work().value, 0.0);
}

}  // namespace
}  // namespace dachlast
