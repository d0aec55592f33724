#include "core/workbench/measure_what_if.h"

#include <fmt/core.h>

#include "core/base/statistics.h"
#include "core/engine/point_runner.h"
#include "core/workbench/generate.h"

namespace dachlast {
namespace {

/// The plan of the same run without the what-if.
RunPlan as_it_is(const RunPlan& plan) {
  RunPlan plain = plan;
  plain.request.what_if = {};
  return plain;
}

StopRule rule_of(const RunRequest& request) {
  StopRule rule = request.repeats ? StopRule::exactly(*request.repeats) : StopRule{};
  if (request.seconds_per_point) rule.max_seconds = *request.seconds_per_point;
  return rule;
}

double kv_bytes(const RunPlan& plan, const MeasuredPoint& point) {
  return engine_memory(plan.source.spec, engine_options(plan, point.context_tokens, point.batch_size)).kv_cache_bytes;
}

}  // namespace

WhatIfRun measure_what_if(const RunPlan& plan, const Run& run, const Weights& weights, JobObserver& observer,
                          const std::stop_token& stop) {
  const RunPlan plain = as_it_is(plan);
  WhatIfRun made{.text = text_of(plan.request.what_if), .points = {}};
  for (const MeasuredPoint& point : run.points) {
    if (stop.stop_requested() || point.samples_s.empty()) break;
    observer.began(fmt::format("{} of {} tokens as the model is", name_of(point.phase), point.context_tokens),
                   static_cast<int>(made.points.size()), static_cast<int>(run.points.size()));
    Engine engine(plan.source.spec, weights, engine_options(plain, point.context_tokens, point.batch_size));
    const PointResult result = PointRunner(engine).run({.phase = point.phase,
                                                        .context_tokens = point.context_tokens,
                                                        .depth_tokens = point.depth_tokens,
                                                        .kv_policy = point.kv_policy,
                                                        .rule = rule_of(plan.request)},
                                                       stop);
    if (result.measurement.samples_s.empty()) break;
    made.points.push_back({.phase = point.phase,
                           .context_tokens = point.context_tokens,
                           .batch_size = point.batch_size,
                           .as_is_s = median(result.measurement.samples_s),
                           .what_if_s = median(point.samples_s),
                           .kv_as_is_bytes = kv_bytes(plain, point),
                           .kv_what_if_bytes = kv_bytes(plan, point)});
  }
  return made;
}

}  // namespace dachlast
