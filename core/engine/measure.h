#pragma once

#include <functional>
#include <limits>
#include <stop_token>
#include <string_view>
#include <vector>

namespace dachlast {

/// When to stop warming up and when to stop measuring. Times are sums of the samples themselves.
struct StopRule {
  // Warm-up goes window by window until the medians of two successive ones differ by at most this share of the later:
  // the slow start (cold caches, page faults, clocks ramping up) changes step times by tens of per cent.
  double warmup_tolerance = 0.05;
  // A window holds at least three steps, so that one interrupted step does not move its median …
  int warmup_window_steps = 3;
  // … and at least 20 ms, longer than the 1 to 10 ms in which clock governors act.
  double warmup_window_s = 0.02;
  // What has not settled in three seconds will not: the samples then say so by their spread. Ends warm-up after the
  // first step where that step alone takes longer.
  double max_warmup_s = 3.0;

  // Sampling is done when both ends of the median's 95 % interval lie within this share of the median: differences that
  // matter to a decision are larger.
  double interval_tolerance = 0.03;
  // Twenty samples are the fewest from which percentiles are shown; fewer only where the time cap ends a slow point.
  int min_repeats = 20;
  // Beyond two thousand samples the interval narrows by less than a fifth for half as many again: the noise is the
  // machine's.
  int max_repeats = 2000;
  // Ten seconds a point keep a run of a dozen points within two minutes. One sample is taken however long it lasts.
  double max_seconds = 10.0;

  /// Exactly `n` samples, whatever they look like and however long they take.
  static StopRule exactly(int n) {
    StopRule rule;
    rule.interval_tolerance = -1.0;  // never narrow enough
    rule.min_repeats = rule.max_repeats = n;
    rule.max_seconds = std::numeric_limits<double>::infinity();
    return rule;
  }
};

enum class StopReason { kConverged, kTimeCap, kRepeatCap, kInterrupted };

constexpr std::string_view name_of(StopReason reason) {
  constexpr std::string_view names[] = {"converged", "time cap", "repeat cap", "interrupted"};
  return names[static_cast<int>(reason)];
}

/// Runs one step and returns how long it took, in seconds.
using TimedStep = std::function<double()>;

/// Runs steps until their times are stable, and returns them all: at least one, none where `stop` was requested before.
std::vector<double> warm_up(const TimedStep& step, const StopRule& rule, std::stop_token stop = {});

/// Every sample of a point, in order. Empty only where it was interrupted before the first.
struct Measurement {
  std::vector<double> warmup_s;
  std::vector<double> samples_s;
  StopReason reason = StopReason::kConverged;
};

/// Runs steps until their median is known well enough or a cap is reached; no warm-up. `stop` is looked at before each
/// step.
Measurement sample(const TimedStep& step, const StopRule& rule, std::stop_token stop = {});

/// Warms up, then samples.
Measurement measure(const TimedStep& step, const StopRule& rule, std::stop_token stop = {});

}  // namespace dachlast
