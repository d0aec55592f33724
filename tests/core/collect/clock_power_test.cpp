#include "core/collect/clock_power.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr int kCores[] = {0};

/// A file system of a computer, made by hand.
class ClockPower : public testing::Test {
 protected:
  ClockPower() : root_(fs::path(testing::TempDir()) / ("clock_power_" + std::to_string(getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  ~ClockPower() override { fs::remove_all(root_); }

  void put(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void clock(int core, const std::string& khz) const {
    put("sys/devices/system/cpu/cpu" + std::to_string(core) + "/cpufreq/scaling_cur_freq", khz + "\n");
  }
  void package(int number, const std::string& energy_uj, const std::string& range_uj = "262143328850") const {
    const std::string folder = "sys/class/powercap/intel-rapl:" + std::to_string(number) + "/";
    put(folder + "name", "package-" + std::to_string(number) + "\n");
    put(folder + "energy_uj", energy_uj + "\n");
    put(folder + "max_energy_range_uj", range_uj + "\n");
  }
  CpuClockPowerReader reader(std::vector<int> cores = {0}) const { return CpuClockPowerReader(cores, root_); }

  fs::path root_;
};

TEST_F(ClockPower, ClockIsTheMeanOfTheWatchedProcessors) {
  clock(0, "2000000");
  clock(1, "3000000");
  clock(2, "800000");  // not watched
  CpuClockPowerReader reader = this->reader({0, 1});
  EXPECT_EQ(reader.sources().clock.source, "cpufreq");
  EXPECT_EQ(reader.read_at(5).at_ns, 5);
  EXPECT_DOUBLE_EQ(reader.read_at(5).clock_hz.value(), 2.5e9);  // (2.0 + 3.0) / 2 GHz
  clock(0, "4000000");
  EXPECT_DOUBLE_EQ(reader.read_at(6).clock_hz.value(), 3.5e9);
}

TEST_F(ClockPower, CpuinfoTellsItWhereCyclesAreCounted) {
  put("proc/cpuinfo",
      "processor\t: 0\ncpu MHz\t\t: 2100.500\nflags\t\t: fpu aperfmperf avx2\n\n"
      "processor\t: 1\ncpu MHz\t\t: 900.000\nflags\t\t: fpu aperfmperf avx2\n");
  CpuClockPowerReader reader = this->reader({0});
  EXPECT_EQ(reader.sources().clock.source, "/proc/cpuinfo");
  EXPECT_DOUBLE_EQ(reader.read_at(1).clock_hz.value(), 2100.5e6);
}

TEST_F(ClockPower, TheRateOfTheTimeStampCounterIsNoClock) {
  put("proc/cpuinfo", "processor\t: 0\ncpu MHz\t\t: 2596.128\nflags\t\t: fpu constant_tsc avx2\n");
  CpuClockPowerReader reader = this->reader();
  EXPECT_FALSE(reader.read_at(1).clock_hz);
  EXPECT_TRUE(reader.sources().clock.source.empty());
  EXPECT_NE(reader.sources().clock.reason.find("aperfmperf"), std::string::npos);
}

TEST_F(ClockPower, PowerIsEnergyOverTimeOfAllPackages) {
  package(0, "1000000");
  package(1, "500000");
  put("sys/class/powercap/intel-rapl:0:0/name", "core\n");  // a part of package 0: not counted again
  put("sys/class/powercap/intel-rapl:0:0/energy_uj", "7\n");
  CpuClockPowerReader reader = this->reader();
  EXPECT_EQ(reader.sources().power.source, "RAPL");
  EXPECT_FALSE(reader.read_at(1'000'000'000).power_w);  // nothing to hold it against
  package(0, "6000000");
  package(1, "1500000");
  // (5 + 1) J in 0.05 s = 120 W
  EXPECT_DOUBLE_EQ(reader.read_at(1'050'000'000).power_w.value(), 120.0);
}

TEST_F(ClockPower, ACounterThatBeginsAnewIsCarriedOn) {
  package(0, "9000000", "10000000");
  CpuClockPowerReader reader = this->reader();
  reader.read_at(0);
  package(0, "1000000", "10000000");
  EXPECT_DOUBLE_EQ(reader.read_at(1'000'000'000).power_w.value(), 2.0);  // 1 − 9 + 10 J in a second
}

TEST_F(ClockPower, AnUnreadableReadingIsAbsentNotZero) {
  package(0, "1000000");
  clock(0, "2000000");
  CpuClockPowerReader reader = this->reader();
  reader.read_at(0);
  package(0, "no number");
  clock(0, "<unknown>");
  const trace::ClockPowerSample sample = reader.read_at(1'000'000'000);
  EXPECT_FALSE(sample.power_w);
  EXPECT_FALSE(sample.clock_hz);
}

TEST_F(ClockPower, CountersForAdministratorsAreNamedWithTheWayOut) {
  package(0, "");
  const CpuClockPowerReader reader = this->reader();
  EXPECT_TRUE(reader.sources().power.source.empty());
  EXPECT_NE(reader.sources().power.reason.find("chmod"), std::string::npos);
}

TEST_F(ClockPower, ABareMachineTellsNothingAndWhy) {
  ClockPowerSampler sampler(std::make_unique<CpuClockPowerReader>(kCores, root_));
  sampler.start();
  EXPECT_TRUE(sampler.stop().empty());
  EXPECT_FALSE(sampler.sources().clock.reason.empty());
  EXPECT_NE(sampler.sources().power.reason.find("powercap"), std::string::npos);
}

TEST_F(ClockPower, TheSamplerReadsAtBothEndsAndInBetween) {
  clock(0, "2000000");
  ClockPowerSampler sampler(std::make_unique<CpuClockPowerReader>(kCores, root_));
  for (int round = 0; round < 2; ++round) {
    sampler.start();
    std::this_thread::sleep_for(3 * ClockPowerSampler::kPause);
    const auto samples = sampler.stop();
    ASSERT_GE(samples.size(), 2U);  // one at each end
    for (std::size_t i = 1; i < samples.size(); ++i) EXPECT_GT(samples[i].at_ns, samples[i - 1].at_ns);
    for (const auto& sample : samples) EXPECT_DOUBLE_EQ(sample.clock_hz.value(), 2e9);
  }
  EXPECT_TRUE(sampler.stop().empty());
}

}  // namespace
}  // namespace dachlast
