#include "core/workbench/break_even.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/statistics.h"
#include "core/engine/point_runner.h"
#include "core/kv_cache/tier_probe.h"
#include "core/memory/staged_cache.h"
#include "core/planner/kv_break_even.h"
#include "core/roofline/predict.h"
#include "core/workbench/generate.h"

namespace dachlast {
namespace {

/// Everything at hand, in blocks as those that are fetched and recomputed.
KvSpec keeping_cache(const RunRequest& request) {
  KvSpec spec = request.kv;
  spec.tier = KvTier::kNone;
  return spec;
}

class BreakEvenRuns {
 public:
  BreakEvenRuns(const RunPlan& plan, const Weights& weights, JobObserver& observer, const std::stop_token& stop)
      : plan_(plan), weights_(weights), observer_(observer), stop_(stop), capacity_(std::ranges::max(plan.contexts)) {}

  KvBreakEven run() {
    question_ = kv_return(plan_.source.spec, precision(plan_.request.kv), plan_.request.kv.block_size);
    take_rates();
    made_.fetch_faster_at = fetch_is_faster_at(question_, capacity_);
    if (const auto rate = break_even_bandwidth(question_, capacity_ - 1)) made_.break_even_bytes_per_s = rate->value;
    note_factors();
    for (const int context : plan_.contexts) made_.points.push_back({.context_tokens = context});
    measure_all(keeping_cache(plan_.request), "kept", &KvBreakEvenPoint::kept_s);
    measure_all(plan_.request.kv, "fetched", &KvBreakEvenPoint::fetch_s);
    measure_all(recomputing_cache(plan_.request), "recomputed", &KvBreakEvenPoint::recompute_s);
    for (KvBreakEvenPoint& point : made_.points) predict(point);
    std::erase_if(made_.points, [](const KvBreakEvenPoint& point) { return point.recompute_s == 0.0; });
    return std::move(made_);
  }

 private:
  Precision precision(const KvSpec& spec) const {
    return {plan_.precision.weights, storage_of(spec, plan_.precision.kv.format)};
  }

  EngineOptions options_with(const KvSpec& spec) const {
    EngineOptions options = engine_options(plan_, capacity_, 1);
    options.kv = spec;
    options.precision = precision(spec);
    return options;
  }

  StopRule rule() const {
    StopRule rule = plan_.request.repeats ? StopRule::exactly(*plan_.request.repeats) : StopRule{};
    if (plan_.request.seconds_per_point) rule.max_seconds = *plan_.request.seconds_per_point;
    return rule;
  }

  PointResult measure(Engine& engine, Phase phase, int context) {
    return PointRunner(engine).run({.phase = phase, .context_tokens = context, .rule = rule()}, stop_);
  }

  /// Of the tier without computing, and of computing without a tier: the longest prefill.
  void take_rates() {
    observer_.began("Probing the KV tier", 0, 4);
    const TierTiming timing = probe_tier(plan_.source.spec, cache_options(options_with(plan_.request.kv)));
    question_.tier = {.per_layer = timing.per_layer, .per_chunk = timing.per_chunk};
    observer_.began(fmt::format("Prefill of {} tokens", capacity_), 1, 4);
    Engine engine(plan_.source.spec, weights_, options_with(keeping_cache(plan_.request)));
    const PointResult prefill = measure(engine, Phase::kPrefill, capacity_);
    if (prefill.measurement.samples_s.empty()) return;
    const Seconds time{median(prefill.measurement.samples_s)};
    question_.compute = prefill.cost.flops / time;
    const auto ops = build_op_list(plan_.source.spec, {Phase::kPrefill, 1, capacity_, capacity_}, plan_.precision);
    made_.roof_share = predict_step(ops, {plan_.roofs, plan_.host, plan_.n_threads}) / time;
  }

  void note_factors() {
    made_.tier = name_of(plan_.request.kv.tier);
    made_.n_layers = question_.n_layers;
    made_.chunk_tokens = question_.chunk_tokens;
    made_.chunk_bytes = question_.chunk.value;
    made_.per_layer_s = question_.tier.per_layer.value;
    made_.per_chunk_s = question_.tier.per_chunk.value;
    made_.flops_per_token = question_.per_token.value;
    made_.flops_per_pair = question_.per_pair.value;
    made_.flops_per_s = question_.compute.value;
    made_.rate_tokens = capacity_;
  }

  void measure_all(const KvSpec& spec, const char* what, double KvBreakEvenPoint::*time_s) {
    observer_.began(fmt::format("Decode with earlier K and V {}", what), 2, 4);
    Engine engine(plan_.source.spec, weights_, options_with(spec));
    for (KvBreakEvenPoint& point : made_.points) {
      if (stop_.stop_requested()) return;
      const PointResult result = measure(engine, Phase::kDecode, point.context_tokens);
      if (!result.measurement.samples_s.empty()) point.*time_s = median(result.measurement.samples_s);
    }
    if (spec.tier != KvTier::kNone) made_.tier_text = engine.kv_tier_description();
  }

  void predict(KvBreakEvenPoint& point) const {
    const int n_before = point.context_tokens - 1;
    point.recomputed_tokens = recomputed_tokens(recomputing_cache(plan_.request), n_before);
    const Seconds kept{point.kept_s};
    point.fetch_predicted_s = fetching_step(question_, kept, n_before).value;
    point.recompute_predicted_s = recomputing_step(question_, kept, point.recomputed_tokens).value;
  }

  const RunPlan& plan_;
  const Weights& weights_;
  JobObserver& observer_;
  const std::stop_token& stop_;
  int capacity_;
  KvReturn question_;
  KvBreakEven made_;
};

}  // namespace

KvBreakEven measure_break_even(const RunPlan& plan, const Weights& weights, JobObserver& observer,
                               const std::stop_token& stop) {
  return BreakEvenRuns(plan, weights, observer, stop).run();
}

}  // namespace dachlast
