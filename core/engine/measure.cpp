#include "core/engine/measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <span>

#include "core/base/statistics.h"

namespace dachlast {
namespace {

// Sorting all samples after each would cost more than short steps do: look again when there are a tenth more.
std::size_t next_look(std::size_t n_samples) {
  return n_samples + 1 + n_samples / 10;
}

bool converged(std::span<const double> samples_s, const StopRule& rule) {
  const Interval interval = median_interval(samples_s);
  const double centre = median(samples_s);
  const double reach = std::max(interval.high - centre, centre - interval.low);
  return interval.confidence >= 0.95 && reach <= rule.interval_tolerance * centre;
}

double sum_of(std::span<const double> samples) {
  return std::accumulate(samples.begin(), samples.end(), 0.0);
}

/// Appends steps until they fill a window; false where it was left before that.
bool fill_window(const TimedStep& step, const StopRule& rule, const std::stop_token& stop,
                 std::vector<double>& samples_s) {
  const std::size_t first = samples_s.size();
  const auto window = [&] { return std::span(samples_s).subspan(first); };
  while (window().size() < static_cast<std::size_t>(rule.warmup_window_steps) ||
         sum_of(window()) < rule.warmup_window_s) {
    if (stop.stop_requested()) return false;
    samples_s.push_back(step());
    if (sum_of(samples_s) >= rule.max_warmup_s) return false;
  }
  return true;
}

}  // namespace

std::vector<double> warm_up(const TimedStep& step, const StopRule& rule, std::stop_token stop) {
  std::vector<double> samples_s;
  std::optional<double> previous;
  for (;;) {
    const std::size_t first = samples_s.size();
    if (!fill_window(step, rule, stop, samples_s)) return samples_s;
    const double current = median(std::span(samples_s).subspan(first));
    if (previous && std::abs(current - *previous) <= rule.warmup_tolerance * current) return samples_s;
    previous = current;
  }
}

Measurement sample(const TimedStep& step, const StopRule& rule, std::stop_token stop) {
  Measurement result;
  std::vector<double>& samples_s = result.samples_s;
  double total_s = 0.0;
  auto look = static_cast<std::size_t>(rule.min_repeats);
  const auto end = [&](StopReason reason) {
    result.reason = reason;
    return result;
  };
  for (;;) {
    if (stop.stop_requested()) return end(StopReason::kInterrupted);
    samples_s.push_back(step());
    total_s += samples_s.back();
    if (samples_s.size() >= look) {
      if (converged(samples_s, rule)) return end(StopReason::kConverged);
      look = next_look(samples_s.size());
    }
    if (samples_s.size() >= static_cast<std::size_t>(rule.max_repeats)) return end(StopReason::kRepeatCap);
    if (total_s >= rule.max_seconds) return end(StopReason::kTimeCap);
  }
}

Measurement measure(const TimedStep& step, const StopRule& rule, std::stop_token stop) {
  std::vector<double> warmup_s = warm_up(step, rule, stop);
  Measurement result = sample(step, rule, stop);
  result.warmup_s = std::move(warmup_s);
  return result;
}

}  // namespace dachlast
