#include "core/roofline/compare.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/statistics.h"
#include "core/roofline/verdict.h"

namespace dachlast {
namespace {

/// Below six samples even the whole range covers a median with less than 95 %, so no interval is claimed.
constexpr std::size_t kSamplesForNoise = 6;

const MeasuredPoint* find_point(const Run& run, const PointKey& key) {
  const auto found = std::find_if(run.points.begin(), run.points.end(), [&](const MeasuredPoint& point) {
    return key_of(point) == key && !point.samples_s.empty();
  });
  return found == run.points.end() ? nullptr : &*found;
}

ChangeVerdict verdict_of(double change, const std::optional<double>& noise, double least_noise) {
  if (!noise || std::abs(change) <= std::max(*noise, least_noise)) return ChangeVerdict::kWithinNoise;
  return change < 0.0 ? ChangeVerdict::kFaster : ChangeVerdict::kSlower;
}

/// The farther end of the interval counts, so that `change ± noise` covers it also where the bootstrap is lopsided.
std::optional<double> noise_of(const std::vector<double>& base, const std::vector<double>& other) {
  if (std::min(base.size(), other.size()) < kSamplesForNoise) return std::nullopt;
  const MedianDifference d = median_difference(base, other);
  return std::max(d.interval.high - d.difference, d.difference - d.interval.low) / median(base);
}

TimeChange time_change(const MeasuredPoint& base, const MeasuredPoint& other, double least_noise) {
  const Seconds base_time{median(base.samples_s)};
  const Seconds other_time{median(other.samples_s)};
  TimeChange change{base_time, other_time, other_time / base_time - 1.0, noise_of(base.samples_s, other.samples_s),
                    ChangeVerdict::kWithinNoise};
  if (change.noise) change.noise = std::max(*change.noise, least_noise);
  change.verdict = verdict_of(change.change, change.noise, least_noise);
  return change;
}

std::vector<OpChange> op_changes(const MeasuredPoint& base, const MeasuredPoint& other) {
  std::vector<OpChange> changes;
  for (const OpMeasurement& op : base.ops) {
    const auto twin = std::find_if(other.ops.begin(), other.ops.end(),
                                   [&](const OpMeasurement& candidate) { return candidate.op == op.op; });
    if (twin != other.ops.end()) changes.push_back({op.op, op.time, twin->time});
  }
  return changes;
}

std::optional<Bound> bound_of(const std::optional<Verdict>& verdict) {
  return verdict ? std::optional(verdict->bound) : std::nullopt;
}

/// Sums medians; independent noises add as the root of their squares.
PhaseChange phase_change(Phase phase, const std::vector<PointChange>& points, double least_noise) {
  PhaseChange sum;
  sum.phase = phase;
  double squares = 0.0;
  bool noise_known = true;
  for (const PointChange& point : points) {
    if (point.key.phase != phase) continue;
    ++sum.n_points;
    sum.time.base += point.time.base;
    sum.time.other += point.time.other;
    noise_known = noise_known && point.time.noise.has_value();
    const double noise_s = point.time.noise.value_or(0.0) * point.time.base.value;
    squares += noise_s * noise_s;
  }
  if (sum.n_points == 0) return sum;
  sum.time.change = sum.time.other / sum.time.base - 1.0;
  if (noise_known) sum.time.noise = std::max(std::sqrt(squares) / sum.time.base.value, least_noise);
  sum.time.verdict = verdict_of(sum.time.change, sum.time.noise, least_noise);
  return sum;
}

std::vector<ConfigurationChange> configuration_changes(const Run& base, const Run& other) {
  std::vector<ConfigurationChange> changes;
  const auto note = [&](const char* key, std::string a, std::string b) {
    if (a != b) changes.push_back({key, std::move(a), std::move(b)});
  };
  note("model", base.model.name, other.model.name);
  note("model config", base.model.config_hash, other.model.config_hash);
  note("weights", base.model.weights, other.model.weights);
  note("weight dtype", std::string(name_of(base.precision.weights)), std::string(name_of(other.precision.weights)));
  note("KV dtype", std::string(name_of(base.precision.kv.format)), std::string(name_of(other.precision.kv.format)));
  note("KV cache", base.kv, other.kv);
  note("threads", std::to_string(base.n_threads), std::to_string(other.n_threads));
  note("attention", base.attention_variant, other.attention_variant);
  note("device", base.roofs.device, other.roofs.device);
  note("host", base.roofs.host_id, other.roofs.host_id);
  note("program version", base.program_version, other.program_version);
  return changes;
}

std::vector<PointKey> missing_in(const Run& run, const Run& from) {
  std::vector<PointKey> keys;
  for (const MeasuredPoint& point : from.points)
    if (!point.samples_s.empty() && find_point(run, key_of(point)) == nullptr) keys.push_back(key_of(point));
  return keys;
}

}  // namespace

PointKey key_of(const MeasuredPoint& point) {
  const bool cached = point.kv_policy != KvPolicy::kNone;
  return {point.phase, point.context_tokens, point.depth_tokens, point.batch_size,
          cached ? KvPolicy::kContiguous : KvPolicy::kNone};
}

Comparison compare_runs(const Run& base, const Run& other, double least_noise) {
  Comparison comparison;
  comparison.configuration = configuration_changes(base, other);
  for (const MeasuredPoint& point : base.points) {
    const MeasuredPoint* twin = point.samples_s.empty() ? nullptr : find_point(other, key_of(point));
    if (twin == nullptr || !(median(point.samples_s) > 0.0)) continue;
    comparison.points.push_back({key_of(point), time_change(point, *twin, least_noise),
                                 bound_of(judge_point(other, *twin)), op_changes(point, *twin)});
  }
  for (const Phase phase : {Phase::kPrefill, Phase::kDecode}) {
    PhaseChange change = phase_change(phase, comparison.points, least_noise);
    if (change.n_points == 0) continue;
    change.bound = bound_of(judge_phase(other, phase));
    comparison.phases.push_back(change);
  }
  comparison.only_in_base = missing_in(other, base);
  comparison.only_in_other = missing_in(base, other);
  return comparison;
}

}  // namespace dachlast
