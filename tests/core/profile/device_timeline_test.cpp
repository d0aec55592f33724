#include "core/profile/device_timeline.h"

#include <gtest/gtest.h>

namespace dachlast {
namespace {

GpuEvent event(GpuWork work, std::int64_t start_ns, std::int64_t end_ns, std::int32_t device = 0) {
  GpuEvent made;
  made.start_ns = start_ns;
  made.end_ns = end_ns;
  made.work = work;
  made.device = device;
  return made;
}

TEST(DeviceTimelines, NoEventsMakeNoTimeline) {
  EXPECT_TRUE(device_timelines({}).empty());
}

TEST(DeviceTimelines, OverlappingKernelsCountOnce) {
  const std::vector<GpuEvent> events = {event(GpuWork::kKernel, 0, 10), event(GpuWork::kKernel, 5, 20),
                                        event(GpuWork::kKernel, 30, 40)};
  const DeviceTimeline timeline = device_timelines(events).at(0);
  EXPECT_EQ(timeline.compute_ns, 30);  // 0…20 and 30…40
  EXPECT_EQ(timeline.span_ns, 40);
  EXPECT_EQ(timeline.idle_ns(), 10);
}

TEST(DeviceTimelines, OnlyWhatNothingHidesIsExposed) {
  const std::vector<GpuEvent> events = {event(GpuWork::kKernel, 0, 10), event(GpuWork::kCommunication, 5, 25),
                                        event(GpuWork::kCopy, 8, 30), event(GpuWork::kFill, 40, 41)};
  const DeviceTimeline timeline = device_timelines(events).at(0);
  EXPECT_EQ(timeline.communication_ns, 20);
  EXPECT_EQ(timeline.exposed_communication_ns, 15);  // 10…25
  EXPECT_EQ(timeline.copy_ns, 23);                   // 8…30 and 40…41
  EXPECT_EQ(timeline.exposed_copy_ns, 6);            // 25…30 and 40…41
  EXPECT_EQ(timeline.busy_ns(), 31);                 // 0…30 and 40…41
  EXPECT_EQ(timeline.idle_ns(), 10);
}

TEST(DeviceTimelines, EachDeviceHasItsOwn) {
  const std::vector<GpuEvent> events = {event(GpuWork::kKernel, 0, 10, 1), event(GpuWork::kKernel, 5, 25, 0),
                                        event(GpuWork::kKernel, 12, 14, 1)};
  const auto timelines = device_timelines(events);
  ASSERT_EQ(timelines.size(), 2U);
  EXPECT_EQ(timelines[0].device, 0);
  EXPECT_EQ(timelines[0].span_ns, 20);
  EXPECT_EQ(timelines[1].compute_ns, 12);
  EXPECT_EQ(timelines[1].n_events, 2);
}

}  // namespace
}  // namespace dachlast
