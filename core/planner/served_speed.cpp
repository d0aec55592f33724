#include "core/planner/served_speed.h"

#include <fmt/core.h>

#include "core/base/error.h"
#include "core/model/gguf_mix.h"
#include "core/model/gguf_shape.h"
#include "core/planner/speed_question.h"

namespace dachlast {
namespace {

bool known(const RatioInterval& ratios) {
  return ratios.low > 0.0 && ratios.high > 0.0;
}

RatioInterval reciprocal(const RatioInterval& ratios) {
  return known(ratios) ? RatioInterval{1.0 / ratios.high, 1.0 / ratios.low} : RatioInterval{};
}

RatioInterval either(const RatioInterval& first, const RatioInterval& second) {
  return known(first) ? first : second;
}

GgufWeights weights_of(const PlanScenario& plan) {
  return plan.gguf_file ? *plan.gguf_file : gguf_weights(gguf_shape(plan.model), *plan.gguf_types);
}

}  // namespace

std::string no_speed_reason(const EngineProfile& engine, const DeviceSpec& device) {
  if (engine.speed.source.empty())
    return fmt::format("no speeds of {} as a server are published; `dachlast run` measures it here", engine.name);
  if (device.main_memory().kind == PoolKind::kHost)
    return fmt::format("no efficiency curves of processors are known, and {} is one", device.name);
  if (!device.main_memory().bandwidth) return fmt::format("the bandwidth of {} is not known", device.name);
  if (device.peaks.empty()) return fmt::format("no peak of {} is known", device.name);
  return {};
}

TimeScenario time_scenario_of(const PlanScenario& plan) {
  TimeScenario scenario{.model = plan.model,
                        .weights = plan.weights,
                        .cache = plan.cache,
                        .device = plan.device,
                        .layout = plan.layout,
                        .engine = plan.engine};
  if (plan.gguf_types) scenario.weight_bytes = weights_of(plan).element_bytes();
  return scenario;
}

ServingLoad serving_load(const ServedLoad& load) {
  return {.input_tokens = static_cast<double>(load.prompt_tokens),
          .output_tokens = static_cast<double>(load.output_tokens),
          .arrival = Arrival::kClosed,
          .n_clients = load.n_sequences};
}

ServingLimits serving_limits(const MemoryPlanner& planner) {
  return {.max_num_seqs = planner.step_limits().max_num_seqs,
          .max_num_batched_tokens = planner.step_limits().max_num_batched_tokens};
}

ServedSpeed with_intervals(const ServingTime& time, const SpeedFacts& facts, EfficiencyOrigin origin) {
  const RatioInterval times = reciprocal(facts.rate);
  const auto figure = [&](double value, const RatioInterval& ratios) {
    return SpeedFigure{value, speed_interval(value, ratios, origin)};
  };
  ServedSpeed speed;
  speed.ttft_s = figure(time.ttft_s, either(facts.ttft, times));
  if (time.tpot_s > 0.0) speed.tpot_s = figure(time.tpot_s, either(facts.tpot, times));
  speed.output_tokens_s = figure(time.output_tokens_s, facts.rate);
  speed.mean_batch = time.mean_batch;
  speed.origin = origin;
  return speed;
}

SpeedOrReason served_speed(const MemoryPlanner& planner, const ServedLoad& load, const EfficiencyCatalog& curves) {
  const PlanScenario& plan = planner.scenario();
  if (std::string reason = no_speed_reason(plan.engine, plan.device); !reason.empty()) return {{}, std::move(reason)};
  try {
    const StepTimer timer(time_scenario_of(plan), curves);
    const ServingTime time = serving_time(timer, serving_load(load), serving_limits(planner));
    return {with_intervals(time, plan.engine.speed, timer.origin()), {}};
  } catch (const Error& error) {
    return {{}, error.what()};
  }
}

}  // namespace dachlast
