#include "core/roofline/point_summary.h"

#include <algorithm>

#include "core/base/statistics.h"

namespace dachlast {
namespace {

std::optional<Intensity> intensity_of(const OpCost& cost) {
  if (!(cost.bytes().value > 0.0)) return std::nullopt;
  return cost.flops / cost.bytes();
}

double tokens_per_step(const MeasuredPoint& point) {
  const double per_sequence = point.phase == Phase::kPrefill ? point.context_tokens - point.depth_tokens : 1.0;
  return per_sequence * point.batch_size;
}

OpSummary summarise_op(const Run& run, const MeasuredPoint& point, const OpMeasurement& op, double step_s) {
  return {.op = op.op,
          .n_calls = op.n_calls,
          .time = op.time,
          .share = op.time.value / step_s,
          .cost = op.cost,
          .intensity = intensity_of(op.cost),
          .verdict = judge_op(run, point, op)};
}

}  // namespace

std::optional<Spread> spread_of(const std::vector<double>& samples) {
  if (samples.empty()) return std::nullopt;
  const int n = static_cast<int>(samples.size());
  if (n >= kSamplesForPercentiles)
    return Spread{median(samples), percentile(samples, 5), percentile(samples, 95), SpreadKind::kP5P95, n};
  const auto [low, high] = std::minmax_element(samples.begin(), samples.end());
  return Spread{median(samples), *low, *high, SpreadKind::kMinMax, n};
}

std::optional<PointSummary> summarise(const Run& run, const MeasuredPoint& point) {
  const auto spread = spread_of(point.samples_s);
  if (!spread || !(spread->median > 0.0)) return std::nullopt;
  PointSummary summary{.phase = point.phase,
                       .context_tokens = point.context_tokens,
                       .depth_tokens = point.depth_tokens,
                       .batch_size = point.batch_size,
                       .kv_policy = point.kv_policy,
                       .time_s = *spread,
                       .predicted_s = point.predicted_s,
                       .tokens_per_s = tokens_per_step(point) / spread->median,
                       .intensity = intensity_of(point.cost),
                       .gap_share = 1.0 - point.busy_share,
                       .cost = point.cost,
                       .ops = {},
                       .verdict = judge_point(run, point)};
  summary.ops.reserve(point.ops.size());
  for (const OpMeasurement& op : point.ops) summary.ops.push_back(summarise_op(run, point, op, spread->median));
  return summary;
}

}  // namespace dachlast
