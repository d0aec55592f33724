#include "core/roofline/verdict.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/statistics.h"

namespace dachlast {
namespace {

/// Both roofs count as reached together within this distance (DESIGN.md §5).
constexpr double kNearRidgeDistance = 0.10;

/// A call shorter than this spends a visible part of itself on being started: waking the threads of a pool and joining
/// them costs a few microseconds.
constexpr Seconds kShortCall{20e-6};

/// Gaps are worth naming where they take at least this share of the time.
constexpr double kNotableGapShare = 0.10;

/// A sum of loads that remembers which level and dtype carry most of it.
class LoadSum {
 public:
  void add(const Roofline& roofs, const OpMeasurement& op) {
    const Seconds memory_time = op.cost.bytes() / roofs.memory().bandwidth;
    const Seconds compute_time = op.cost.flops / roofs.compute().peak;
    load_.memory_time += memory_time;
    load_.compute_time += compute_time;
    load_.least_time += std::max(memory_time, compute_time);
    load_.n_calls += op.n_calls;
    by_level_[static_cast<std::size_t>(roofs.memory().level)] += memory_time.value;
    by_dtype_[static_cast<std::size_t>(roofs.compute().dtype)] += compute_time.value;
    if (remark_.empty()) remark_ = roofs.compute().remark.empty() ? roofs.memory().remark : roofs.compute().remark;
  }

  void add_time(Seconds time, Seconds busy_time) {
    load_.time += time;
    load_.busy_time += busy_time;
  }

  std::optional<Verdict> verdict(double threshold) const {
    Load load = load_;
    load.level = static_cast<MemoryLevel>(std::max_element(by_level_.begin(), by_level_.end()) - by_level_.begin());
    load.dtype = static_cast<DType>(std::max_element(by_dtype_.begin(), by_dtype_.end()) - by_dtype_.begin());
    auto verdict = judge(load, threshold);
    if (verdict) verdict->roof_remark = remark_;
    return verdict;
  }

 private:
  Load load_;
  std::array<double, 4> by_level_{};
  std::array<double, std::size(kAllDTypes)> by_dtype_{};
  std::string remark_;
};

/// Adds all operations of a point. Points without samples add nothing.
void add_point(const Run& run, const MeasuredPoint& point, LoadSum& sum) {
  if (point.samples_s.empty()) return;
  const Seconds time{median(point.samples_s)};
  for (const OpMeasurement& op : point.ops) sum.add(roofline_of(run, point, op), op);
  sum.add_time(time, time * point.busy_share);
}

Bound bound_of(const Utilisation& u, double threshold) {
  if (std::max(u.memory, u.compute) < threshold) return Bound::kLatency;
  if (std::min(u.memory, u.compute) >= threshold && std::abs(u.memory - u.compute) <= kNearRidgeDistance)
    return Bound::kNearRidge;
  return u.memory > u.compute ? Bound::kMemory : Bound::kCompute;
}

LatencyReason reason_of(const Load& load, const Utilisation& u, double threshold) {
  const double busy_share = load.busy_time / load.time;
  const double larger = std::max(u.memory, u.compute);
  if (1.0 - busy_share >= kNotableGapShare && larger >= threshold * busy_share) return LatencyReason::kEngineGaps;
  if (load.least_time / load.time >= threshold) return LatencyReason::kMixedOperations;
  if (load.n_calls > 0 && load.busy_time / load.n_calls < kShortCall) return LatencyReason::kLittleWorkPerCall;
  if (u.memory + u.compute >= threshold) return LatencyReason::kNotOverlapped;
  if (u.memory >= u.compute && load.level != MemoryLevel::kDram) return LatencyReason::kCacheResident;
  return LatencyReason::kBelowRoofs;
}

}  // namespace

std::optional<Verdict> judge(const Load& load, double threshold) {
  if (!(load.time.value > 0.0)) return std::nullopt;
  Verdict verdict;
  verdict.load = load;
  verdict.threshold = threshold;
  verdict.utilisation = {load.memory_time / load.time, load.compute_time / load.time};
  verdict.bound = bound_of(verdict.utilisation, threshold);
  if (verdict.bound == Bound::kLatency) verdict.reason = reason_of(load, verdict.utilisation, threshold);
  if (load.least_time.value > 0.0) verdict.speedup_at_roof = load.time / load.least_time;
  verdict.above_roof = std::max(verdict.utilisation.memory, verdict.utilisation.compute) > 1.0;
  return verdict;
}

Roofline roofline_of(const Run& run, const MeasuredPoint& point, const OpMeasurement& op) {
  // One call's share of the traffic: only its size matters for the level, and calls of one kind are about equal.
  const double per_call = 1.0 / std::max(1, op.n_calls);
  const OpCost& c = op.cost;
  const OpCost call{c.flops * per_call, c.weight_bytes * per_call, c.activation_bytes * per_call,
                    c.kv_read_bytes * per_call, c.kv_write_bytes * per_call};
  return {run.roofs, op.arithmetic, level_feeding(call, point.cost, run.host, run.n_threads), run.n_threads};
}

std::optional<Verdict> judge_op(const Run& run, const MeasuredPoint& point, const OpMeasurement& op) {
  LoadSum sum;
  sum.add(roofline_of(run, point, op), op);
  sum.add_time(op.time, op.time);
  return sum.verdict(run.bound_threshold);
}

std::optional<Verdict> judge_point(const Run& run, const MeasuredPoint& point) {
  LoadSum sum;
  add_point(run, point, sum);
  return sum.verdict(run.bound_threshold);
}

std::optional<Verdict> judge_phase(const Run& run, Phase phase) {
  LoadSum sum;
  for (const MeasuredPoint& point : run.points)
    if (point.phase == phase) add_point(run, point, sum);
  return sum.verdict(run.bound_threshold);
}

std::optional<Verdict> judge_run(const Run& run) {
  LoadSum sum;
  for (const MeasuredPoint& point : run.points) add_point(run, point, sum);
  return sum.verdict(run.bound_threshold);
}

}  // namespace dachlast
