#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/roofline/roofline.h"
#include "core/roofline/run.h"

namespace dachlast {

/// One setting in which two runs differ: "threads", "2", "4".
struct ConfigurationChange {
  std::string key;
  std::string base;
  std::string other;
};

enum class ChangeVerdict : std::uint8_t { kWithinNoise, kFaster, kSlower };

constexpr std::string_view name_of(ChangeVerdict verdict) {
  constexpr std::string_view names[] = {"within_noise", "faster", "slower"};
  return names[static_cast<int>(verdict)];
}

/// Change of a time. Shares, not percent: 0.05 is five percent slower.
struct TimeChange {
  Seconds base;
  Seconds other;
  double change = 0.0;          // other / base − 1
  std::optional<double> noise;  // half width of the difference's 95 % interval / base; empty: too few samples to know
  ChangeVerdict verdict = ChangeVerdict::kWithinNoise;
};

/// What makes points of two runs comparable.
struct PointKey {
  Phase phase = Phase::kPrefill;
  int context_tokens = 0;
  int depth_tokens = 0;
  int batch_size = 1;
  KvPolicy kv_policy = KvPolicy::kContiguous;  // of every cache; kNone: there was none

  friend bool operator==(const PointKey&, const PointKey&) = default;
};

/// Operations have no samples of their own, so their change carries no noise and no verdict.
struct OpChange {
  OpKind op = OpKind::kEmbed;
  Seconds base;
  Seconds other;
};

/// What the point of a run is compared by: a run has one kind of cache, which is a setting that may differ, or none.
PointKey key_of(const MeasuredPoint& point);

struct PointChange {
  PointKey key;
  TimeChange time;
  std::optional<Bound> bound;  // of the other run
  std::vector<OpChange> ops;   // operations both runs have
};

/// One phase over the points both runs have: the sum of their medians.
struct PhaseChange {
  Phase phase = Phase::kPrefill;
  int n_points = 0;
  TimeChange time;
  std::optional<Bound> bound;  // of the other run
};

struct Comparison {
  std::vector<ConfigurationChange> configuration;
  std::vector<PhaseChange> phases;
  std::vector<PointChange> points;  // in the base run's order
  std::vector<PointKey> only_in_base;
  std::vector<PointKey> only_in_other;
};

/// The smallest change anyone should call one: interrupts, clocks and memory placement move repeated runs by about this
/// much.
inline constexpr double kLeastNoise = 0.01;

/// Compares point by point. A change inside the 95 % interval of the difference of medians, or inside `least_noise`, is
/// within noise; so is any change between points with too few samples for an interval.
/// Errors   as `roofline_of`, where the other run lacks roofs.
Comparison compare_runs(const Run& base, const Run& other, double least_noise = kLeastNoise);

/// One limit of `--fail-on`: the phase may become slower by at most `limit` (0.05 for 5 %).
struct FailRule {
  Phase phase = Phase::kPrefill;
  double limit = 0.0;
};

/// Reads "decode:5%,prefill:10%".
/// Errors   throws `Error` (kUsage) naming the part that cannot be read.
std::vector<FailRule> parse_fail_rules(std::string_view text);

/// A rule that was broken, by how much and where it was worst.
struct FailedRule {
  FailRule rule;
  PointKey worst_point;
  double change = 0.0;
};

/// A rule is broken where a point of its phase is slower by more than its limit and by more than the noise.
/// Errors   throws `Error` (kFailure) where no point of a rule's phase was compared with enough samples for its noise:
/// an
///          unchecked rule must not pass.
std::vector<FailedRule> failed_rules(const Comparison& comparison, const std::vector<FailRule>& rules);

}  // namespace dachlast
