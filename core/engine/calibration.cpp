#include "core/engine/calibration.h"

#include <fmt/chrono.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/engine/calibration_plan.h"
#include "core/engine/probe_runner.h"
#include "kernels/probe/bandwidth.h"
#include "kernels/probe/peak.h"

namespace dachlast {
namespace {

using kernels::BandwidthVariant;
using kernels::PeakVariant;
using kernels::ProbePattern;
using kernels::StoreKind;

constexpr int kLeastRepeats = 3;
// Repeats that a budget is divided by to find the length of a sample; DRAM samples, one pass at least, take longer.
constexpr double kPlannedRepeats = 9.0;
// A sample is long beside the start of a team (about 1 µs) and short beside the drift of a clock (seconds).
constexpr double kShortestSample = 0.5e-3;
constexpr double kLongestSample = 30e-3;
// Bytes or operations of one thread that no sample goes below: 0.5 ms at 4 GB/s or 4 GFLOP/s, less than any CPU of
// today.
constexpr double kLeastWork = 2e6;

constexpr AccessPattern kPatterns[] = {AccessPattern::kRead, AccessPattern::kWrite, AccessPattern::kCopy,
                                       AccessPattern::kTriad};

ProbePattern probe_pattern(AccessPattern pattern) {
  switch (pattern) {
    case AccessPattern::kRead: return ProbePattern::kRead;
    case AccessPattern::kWrite: return ProbePattern::kWrite;
    case AccessPattern::kCopy: return ProbePattern::kCopy;
    case AccessPattern::kTriad: break;
  }
  return ProbePattern::kTriad;
}

/// One thing to measure: either probe is set. `work` is bytes or operations of one iteration of the whole team.
struct Point {
  const BandwidthVariant* bandwidth = nullptr;
  const PeakVariant* peak = nullptr;
  WorkingSet set{};
  AccessPattern pattern{};
  double work = 0.0;
  std::int64_t n_iterations = 1;
  double fastest_iteration = INFINITY;  // seconds
  std::vector<double> rates = {};       // work per second, one for each repeat

  std::string what() const {
    const std::string subject = peak != nullptr ? fmt::format("{} peak", display_name_of(peak->arithmetic))
                                                : fmt::format("{} {}", name_of(set.level), name_of(pattern));
    return fmt::format("{}, {} thread{}", subject, set.n_threads, set.n_threads == 1 ? "" : "s");
  }
};

double bytes_of_pass(const WorkingSet& set, ProbePattern pattern) {
  const std::size_t granule =
      kernels::kProbeGranule * sizeof(float) * static_cast<std::size_t>(kernels::probe_arrays(pattern));
  const std::size_t n_granules = std::max<std::size_t>(set.bytes_per_thread / granule, 1);
  return static_cast<double>(n_granules * granule) * set.n_threads;
}

void add_bandwidth_points(const CalibrationPlan& plan, std::vector<Point>& points) {
  for (const WorkingSet& set : plan.working_sets) {
    for (const AccessPattern pattern : kPatterns) {
      for (const StoreKind stores : {StoreKind::kCached, StoreKind::kNonTemporal}) {
        // Non-temporal stores leave the caches, so they cannot measure one.
        if (stores == StoreKind::kNonTemporal && set.level != MemoryLevel::kDram) continue;
        const BandwidthVariant* probe = kernels::bandwidth_variant_for(probe_pattern(pattern), stores);
        if (probe == nullptr) continue;
        points.push_back(
            {.bandwidth = probe, .set = set, .pattern = pattern, .work = bytes_of_pass(set, probe->pattern)});
      }
    }
  }
}

void add_peak_points(const CalibrationPlan& plan, std::vector<Point>& points) {
  for (const DType dtype : kAllDTypes) {
    const PeakVariant* probe = kernels::peak_variant_for(dtype);
    if (probe == nullptr) continue;
    for (const int n_threads : plan.team_sizes)
      points.push_back({.peak = probe, .set = {{}, n_threads, 0}, .work = probe->ops_per_round() * n_threads});
  }
}

/// Measures the points of one calibration.
class PointVisits {
 public:
  PointVisits(ProbeRunner& runner, std::vector<Point>& points, const CalibrationOptions& options,
              const std::function<void(const CalibrationProgress&)>& progress)
      : runner_(runner),
        points_(points),
        options_(options),
        progress_(progress),
        target_(std::clamp(options.time_budget.value / (kPlannedRepeats * static_cast<double>(points.size())),
                           kShortestSample, kLongestSample)) {}

  /// Takes one sample of each point and forgets it: that finds how many iterations make one, and warms caches and
  /// clock.
  void warm_up() {
    for (Point& point : points_) {
      report(point, 0.0);
      const double least = kLeastWork * point.set.n_threads / point.work;
      point.n_iterations = std::max<std::int64_t>(1, std::llround(least));
      sample(point);
    }
  }

  void repeat() {
    const auto start = Clock::now();
    const auto spent = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
    double last_round = 0.0;
    for (int round = 0; round < kLeastRepeats || spent() + last_round <= options_.time_budget.value; ++round) {
      const double before = spent();
      for (std::size_t i = 0; i < points_.size(); ++i) {
        Point& point = points_[round % 2 == 0 ? i : points_.size() - 1 - i];
        report(point, fraction(spent(), round, i));
        const Seconds time = sample(point);
        point.rates.push_back(point.work * static_cast<double>(point.n_iterations) / time.value);
      }
      last_round = spent() - before;
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  Seconds run(const Point& point) {
    if (options_.stop.stop_requested())
      throw Error(ErrorKind::kInterrupted, "calibration",
                  "Stopped before all roofs were measured; nothing was stored.");
    if (point.peak != nullptr) return runner_.time_rounds(*point.peak, point.set.n_threads, point.n_iterations);
    return runner_.time_passes(*point.bandwidth, point.set.n_threads, point.set.bytes_per_thread, point.n_iterations);
  }

  /// One sample, long enough by the fastest iterations seen so far. An interruption makes a short sample look long, so
  /// its own time does not tell.
  Seconds sample(Point& point) {
    for (;;) {
      const Seconds time = run(point);
      point.fastest_iteration = std::min(point.fastest_iteration, time.value / static_cast<double>(point.n_iterations));
      if (point.fastest_iteration * static_cast<double>(point.n_iterations) >= 0.5 * target_) return time;
      point.n_iterations = std::llround(target_ / point.fastest_iteration);
    }
  }

  /// Time spent of the budget, or rounds of the least number, whichever is further from the end.
  double fraction(double spent, int round, std::size_t point) const {
    const double rounds = (round + static_cast<double>(point) / static_cast<double>(points_.size())) / kLeastRepeats;
    return std::min({1.0, spent / options_.time_budget.value, rounds});
  }

  void report(const Point& point, double fraction) const {
    if (progress_) progress_({fraction, point.what()});
  }

  ProbeRunner& runner_;
  std::vector<Point>& points_;
  const CalibrationOptions& options_;
  const std::function<void(const CalibrationProgress&)>& progress_;
  const double target_;  // seconds of a sample
};

RoofSample summary(const std::vector<double>& rates) {
  return {.median = median(rates),
          .min = *std::min_element(rates.begin(), rates.end()),
          .max = *std::max_element(rates.begin(), rates.end()),
          .n = static_cast<int>(rates.size())};
}

void add_bandwidth(DeviceRoofs& roofs, const Point& point) {
  BandwidthRoof roof{.level = point.set.level,
                     .pattern = point.pattern,
                     .n_threads = point.set.n_threads,
                     .working_set_bytes = point.work,  // STREAM counts each array once, so a pass moves its set
                     .bytes_per_s = summary(point.rates),
                     .probe = std::string(point.bandwidth->name)};
  const auto same = [&](const BandwidthRoof& other) {
    return other.level == roof.level && other.pattern == roof.pattern && other.n_threads == roof.n_threads;
  };
  const auto twin = std::find_if(roofs.bandwidths.begin(), roofs.bandwidths.end(), same);
  if (twin == roofs.bandwidths.end())
    roofs.bandwidths.push_back(std::move(roof));
  else if (twin->bytes_per_s.median < roof.bytes_per_s.median)
    *twin = std::move(roof);
}

DeviceRoofs roofs_from(const std::vector<Point>& points, const HostTopology& host) {
  DeviceRoofs roofs;
  const std::string cpu = host.cpu_name.empty() ? "CPU" : host.cpu_name;
  roofs.device = fmt::format("{}, {} core{}", cpu, host.n_cores, host.n_cores == 1 ? "" : "s");
  roofs.host_id = host_id();
  roofs.measured_at = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  for (const Point& point : points) {
    if (point.peak == nullptr)
      add_bandwidth(roofs, point);
    else
      roofs.computes.push_back({.dtype = point.peak->arithmetic,
                                .instruction = std::string(point.peak->instruction),
                                .n_threads = point.set.n_threads,
                                .ops_per_s = summary(point.rates)});
  }
  return roofs;
}

int most_threads(const HostTopology& host, const CalibrationOptions& options) {
  const auto n_cores = static_cast<int>(host.core_ids.size());
  if (options.n_threads < 0)
    throw Error(ErrorKind::kUsage, "threads", fmt::format("{} threads cannot measure.", options.n_threads),
                "Give 1 or more, or 0 for one on each core.");
  if (n_cores == 0)
    throw Error(ErrorKind::kDevice, "calibration", "No processor core was found that this process may use.",
                "Check its affinity mask (taskset -p).");
  return options.n_threads == 0 ? n_cores : std::min(options.n_threads, n_cores);
}

}  // namespace

Calibration calibrate(const HostTopology& host, const CalibrationOptions& options,
                      const std::function<void(const CalibrationProgress&)>& progress) {
  const int n_threads = most_threads(host, options);
  const double memory = options.max_memory_bytes > 0.0 ? options.max_memory_bytes : 0.25 * host.available_memory_bytes;
  const CalibrationPlan plan = plan_calibration(host, n_threads, memory);
  std::vector<Point> points;
  add_bandwidth_points(plan, points);
  add_peak_points(plan, points);

  if (progress) progress({0.0, "Preparing memory"});
  ProbeRunner runner(host.core_ids, plan.team_sizes, plan.memory_bytes);
  PointVisits measurement(runner, points, options, progress);
  measurement.warm_up();
  LoadMonitor monitor(std::span(host.core_ids).first(static_cast<std::size_t>(n_threads)));
  measurement.repeat();

  Calibration result{roofs_from(points, host), plan.remarks};
  if (!runner.is_pinned())
    result.remarks.push_back({"threads_not_pinned", "The system did not let threads stay on their cores."});
  for (LoadRemark& remark : remarks_of(monitor.finish())) result.remarks.push_back(std::move(remark));
  return result;
}

}  // namespace dachlast
