#include "core/collect/gpu_clock_power.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace dachlast {
namespace {

/// A GPU whose NVML is a stand-in, which answers as the environment says.
class GpuClockPower : public testing::Test {
 protected:
  ~GpuClockPower() override {
    for (const char* name : {"FAKE_NVML_INIT", "FAKE_NVML_CLOCK", "FAKE_NVML_POWER"}) unsetenv(name);
  }
  static GpuClockPowerReader reader(const std::string& bus = "0000:41:00.0") {
    return GpuClockPowerReader(bus, DACHLAST_FAKE_NVML);
  }
};

TEST_F(GpuClockPower, ClockAndPowerInBaseUnits) {
  GpuClockPowerReader reader = this->reader();
  EXPECT_EQ(reader.sources().clock.source, "NVML");
  EXPECT_EQ(reader.sources().power.source, "NVML");
  const trace::ClockPowerSample sample = reader.read_at(7);
  EXPECT_EQ(sample.at_ns, 7);
  EXPECT_DOUBLE_EQ(sample.clock_hz.value(), 1.98e9);  // 1,980 MHz of the multiprocessors, not 2,619 of the memory
  EXPECT_DOUBLE_EQ(sample.power_w.value(), 412.5);
}

TEST_F(GpuClockPower, WhatAGpuDoesNotTellIsAbsentWithNvmlsReason) {
  setenv("FAKE_NVML_POWER", "3", 1);
  GpuClockPowerReader reader = this->reader();
  EXPECT_TRUE(reader.any());
  EXPECT_EQ(reader.sources().power.reason, "NVML answers: Not Supported.");
  const trace::ClockPowerSample sample = reader.read_at(0);
  EXPECT_TRUE(sample.clock_hz);
  EXPECT_FALSE(sample.power_w);
}

TEST_F(GpuClockPower, AReadingThatFailsLaterIsAbsentNotZero) {
  GpuClockPowerReader reader = this->reader();
  setenv("FAKE_NVML_CLOCK", "3", 1);
  EXPECT_FALSE(reader.read_at(0).clock_hz);
}

TEST_F(GpuClockPower, WithoutTheLibraryTheGpuOrADriverThereIsAReason) {
  const auto reason = [](const GpuClockPowerReader& reader) {
    EXPECT_FALSE(reader.any());
    EXPECT_EQ(reader.sources().clock, reader.sources().power);
    return reader.sources().clock.reason;
  };
  EXPECT_EQ(reason(GpuClockPowerReader("0000:41:00.0", "libnowhere.so")),
            "libnowhere.so is not there, which comes with NVIDIA's driver.");
  EXPECT_EQ(reason(GpuClockPowerReader("0000:41:00.0", "libc.so.6")), "libc.so.6 lacks functions of NVML.");
  EXPECT_EQ(reason(reader("0000:99:00.0")), "NVML answers: Not Found.");
  setenv("FAKE_NVML_INIT", "9", 1);
  EXPECT_EQ(reason(reader()), "NVML answers: Driver Not Loaded.");
}

}  // namespace
}  // namespace dachlast
