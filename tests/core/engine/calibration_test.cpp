#include "core/engine/calibration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/base/error.h"

namespace dachlast {
namespace {

/// This computer, described with small caches so that a test takes little memory and time. What is measured is then not
/// the true DRAM; that every figure exists and is plausible does not depend on it.
HostTopology small_host() {
  HostTopology host = read_host_topology();
  host.caches = {{1, 32 * kKiB, host.n_cores}, {2, 256 * kKiB, host.n_cores}, {3, 1 * kMiB * host.n_cores, 1}};
  host.available_memory_bytes = 16 * kMiB * host.n_cores * 4;
  return host;
}

CalibrationOptions brief(int n_threads) {
  return {.time_budget = {0.01}, .n_threads = n_threads};
}

TEST(Calibration, MeasuresEveryLevelPatternAndDataTypeForEveryTeam) {
  const HostTopology host = small_host();
  const int n_threads = host.core_ids.size() > 1 ? 2 : 1;
  std::vector<CalibrationProgress> steps;
  const Calibration result =
      calibrate(host, brief(n_threads), [&](const CalibrationProgress& step) { steps.push_back(step); });
  EXPECT_EQ(result.roofs.bandwidths.size(), static_cast<std::size_t>(4 * 4 * n_threads));
  for (const BandwidthRoof& roof : result.roofs.bandwidths) {
    EXPECT_GE(roof.bytes_per_s.n, 3);
    // A megabyte a second is a thousandth of the slowest DRAM, 100 TB/s a hundred times the fastest L1 of two cores.
    EXPECT_GT(roof.bytes_per_s.min, 1e6);
    EXPECT_LT(roof.bytes_per_s.max, 1e14);
    EXPECT_LE(roof.bytes_per_s.min, roof.bytes_per_s.median);
    EXPECT_LE(roof.bytes_per_s.median, roof.bytes_per_s.max);
    EXPECT_GT(roof.working_set_bytes, 0.0);
    EXPECT_EQ(roof.origin, Origin::kMeasured);
    EXPECT_FALSE(roof.probe.empty());
  }
  for (int team = 1; team <= n_threads; ++team) EXPECT_GT(result.roofs.peak(DType::kF32, team)->value, 1e6);
  EXPECT_EQ(result.roofs.host_id, host_id());
  EXPECT_THAT(result.roofs.measured_at, testing::MatchesRegex("20..-..-..T..:..:..Z"));
  ASSERT_FALSE(steps.empty());
  for (const CalibrationProgress& step : steps) {
    EXPECT_GE(step.fraction, 0.0);
    EXPECT_LE(step.fraction, 1.0);
  }
}

TEST(Calibration, StopsAtOnceWhenAsked) {
  std::stop_source source;
  CalibrationOptions options{
      .time_budget = {60.0}, .n_threads = 1, .max_memory_bytes = 0.0, .stop = source.get_token()};
  int n_steps = 0;
  try {
    calibrate(small_host(), options, [&](const CalibrationProgress&) {
      if (++n_steps == 5) source.request_stop();
    });
    FAIL() << "was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
  EXPECT_EQ(n_steps, 5);
}

TEST(Calibration, NeedsACoreAndASensibleNumberOfThreads) {
  EXPECT_THROW(calibrate(small_host(), brief(-1)), Error);
  HostTopology none = small_host();
  none.core_ids.clear();
  EXPECT_THROW(calibrate(none, brief(1)), Error);
}

}  // namespace
}  // namespace dachlast
