#include "core/profile/phase_device.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

TraceStep step(const char* name, Phase phase, std::int64_t start_ns, std::int64_t end_ns) {
  TraceStep made;
  made.name = name;
  made.phase = phase;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  return made;
}

GpuEvent event(std::int32_t of_step, std::int64_t launch_ns, std::int64_t start_ns, std::int64_t end_ns,
               GpuWork work = GpuWork::kKernel) {
  GpuEvent made;
  made.step = of_step;
  made.launch_ns = launch_ns;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.work = work;
  return made;
}

TEST(PhaseDevices, GapsAreSplitByTheLaunch) {
  GpuTrace trace;
  trace.steps = {step("decode", Phase::kDecode, 100, 200)};
  // Idle from 100 to 130: the host asked at 120, so 20 are its own. Idle from 160 to 180: asked at 140, long before.
  trace.events = {event(0, 120, 130, 160), event(0, 140, 180, 200)};
  const auto phases = phase_devices(trace);
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_EQ(phases[0].label, "decode");
  EXPECT_EQ(phases[0].n_steps, 1);
  EXPECT_EQ(phases[0].span_ns, 100);  // 100 to 200
  EXPECT_EQ(phases[0].busy_ns, 50);   // 30 + 20
  EXPECT_EQ(phases[0].idle_ns(), 50);
  EXPECT_EQ(phases[0].launch_gap_ns, 20);
}

TEST(PhaseDevices, AStepBeginsWhereTheOneBeforeEndsOnTheDevice) {
  GpuTrace trace;
  // The host runs ahead: the second step begins at 20 while the first still works until 100.
  trace.steps = {step("decode 1", Phase::kDecode, 0, 10), step("decode 2", Phase::kDecode, 20, 30)};
  trace.events = {event(0, 5, 10, 100), event(1, 25, 110, 150)};
  const auto phases = phase_devices(trace);
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_EQ(phases[0].n_steps, 2);
  EXPECT_EQ(phases[0].span_ns, 150);      // 0 to 100, 100 to 150
  EXPECT_EQ(phases[0].busy_ns, 130);      // 90 + 40
  EXPECT_EQ(phases[0].launch_gap_ns, 5);  // 0 to 5; the second was asked for long before 100
}

TEST(PhaseDevices, CopiesCountOnceAndExposedWhereNothingHidesThem) {
  GpuTrace trace;
  trace.steps = {step("prefill", Phase::kPrefill, 0, 100)};
  trace.events = {event(0, 0, 0, 60), event(0, 0, 40, 80, GpuWork::kCopy), event(-1, 0, 50, 70, GpuWork::kFill)};
  const auto phases = phase_devices(trace);
  ASSERT_EQ(phases.size(), 1U);
  EXPECT_EQ(phases[0].span_ns, 80);
  EXPECT_EQ(phases[0].copy_ns, 40);          // 40 to 80, the fill of nobody within it
  EXPECT_EQ(phases[0].exposed_copy_ns, 20);  // 60 to 80
  EXPECT_EQ(phases[0].busy_ns, 80);
}

TEST(PhaseDevices, DevicesAndPhasesStandAlone) {
  GpuTrace trace;
  trace.steps = {step("prefill", Phase::kPrefill, 0, 10), step("decode", Phase::kDecode, 20, 30)};
  trace.events = {event(0, 1, 2, 8), event(1, 21, 22, 29)};
  trace.events.push_back(event(1, 21, 23, 28));
  trace.events.back().device = 1;
  const auto phases = phase_devices(trace);
  ASSERT_EQ(phases.size(), 3U);
  EXPECT_EQ(phases[0].label, "decode");
  EXPECT_EQ(phases[1].device, 1);
  EXPECT_EQ(phases[1].busy_ns, 5);
  EXPECT_EQ(phases[2].label, "prefill");
}

TEST(PhaseDevices, WithoutTimesOfLaunchesNoGapIsClaimed) {
  GpuTrace trace;
  trace.steps = {step("decode", Phase::kDecode, 0, 10)};
  trace.events = {event(0, 0, 5, 8)};
  trace.events[0].launch_ns.reset();
  ASSERT_EQ(phase_devices(trace).size(), 1U);
  EXPECT_FALSE(phase_devices(trace)[0].launch_gap_ns);
  EXPECT_TRUE(phase_devices({}).empty());
}

}  // namespace
}  // namespace dachlast
