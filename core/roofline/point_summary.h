#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/roofline/run.h"
#include "core/roofline/verdict.h"

namespace dachlast {

/// Which two numbers stand left and right of the median: percentiles say nothing below 20 samples.
enum class SpreadKind : std::uint8_t { kMinMax, kP5P95 };

inline constexpr int kSamplesForPercentiles = 20;

/// Middle and spread of the samples of one point.
struct Spread {
  double median = 0.0;
  double low = 0.0;   // p5 or the smallest sample, by `kind`
  double high = 0.0;  // p95 or the largest sample
  SpreadKind kind = SpreadKind::kMinMax;
  int n = 0;
};

/// Empty where there are no samples.
std::optional<Spread> spread_of(const std::vector<double>& samples);

struct OpSummary {
  OpKind op = OpKind::kEmbed;
  int n_calls = 0;
  Seconds time;
  double share = 0.0;  // of the step
  OpCost cost;
  std::optional<Intensity> intensity;  // empty where no bytes were counted
  std::optional<Verdict> verdict;
};

/// A measured point as tables and charts show it.
struct PointSummary {
  Phase phase = Phase::kPrefill;
  int context_tokens = 0;
  int depth_tokens = 0;  // prefill: of these, in the cache before it
  int batch_size = 1;
  KvPolicy kv_policy = KvPolicy::kContiguous;
  Spread time_s;
  std::optional<double> predicted_s;
  double tokens_per_s = 0.0;           // all sequences together; prefill: tokens read, decode: tokens produced
  std::optional<Intensity> intensity;  // empty where no bytes were counted
  double gap_share = 0.0;              // of the step, outside operations
  OpCost cost;
  std::vector<OpSummary> ops;  // in op-list order
  std::optional<Verdict> verdict;
};

/// Errors   as `roofline_of`; empty where the point has no sample or its median is not positive.
std::optional<PointSummary> summarise(const Run& run, const MeasuredPoint& point);

}  // namespace dachlast
