#include "core/engine/quiet_point.h"

#include <algorithm>
#include <cmath>

#include "core/base/statistics.h"
#include "core/engine/load_monitor.h"

namespace dachlast {
namespace {

constexpr int kLeastSteps = 3;
constexpr int kMostSteps = 1000;

/// As many steps as fill the time, by the last two of four.
StopRule rule_for(PointRunner& runner, PointRequest request, double seconds, const std::stop_token& stop) {
  request.rule = StopRule::exactly(2);
  request.rule.max_warmup_s = seconds / 2.0;
  const PointResult first = runner.run(request, stop);
  if (first.measurement.samples_s.empty()) return request.rule;
  const double steps = std::ceil(seconds / median(first.measurement.samples_s));
  StopRule rule = StopRule::exactly(static_cast<int>(std::clamp<double>(steps, kLeastSteps, kMostSteps)));
  rule.max_warmup_s = 0.0;  // it is warm
  return rule;
}

}  // namespace

bool QuietPoint::quiet() const {
  return others_share.value_or(0.0) <= kCompetingShare;
}

QuietPoint run_quietly(Engine& engine, Phase phase, int context_tokens, const QuietRule& rule,
                       std::span<const int> core_ids, std::stop_token stop) {
  PointRunner runner(engine);
  PointRequest request;
  request.phase = phase;
  request.context_tokens = context_tokens;
  request.rule = rule_for(runner, request, rule.seconds, stop);
  QuietPoint best;
  for (int attempt = 0; attempt < rule.n_attempts && !stop.stop_requested(); ++attempt) {
    LoadMonitor monitor(core_ids);
    QuietPoint point{runner.run(request, stop), {}};
    point.others_share = monitor.finish().others_share;
    const bool better = attempt == 0 || point.others_share.value_or(0.0) < best.others_share.value_or(0.0);
    if (better) best = std::move(point);
    if (best.quiet()) break;
  }
  return best;
}

}  // namespace dachlast
