#include <algorithm>
#include <cmath>

#include "core/planner/recommend_search.h"

namespace dachlast {

SpeedEstimate estimate_speed(const StepTimer& timer, const ServingLimits& limits, const ServedLoad& load) {
  const TimeScenario& scenario = timer.scenario();
  const double groups = scenario.layout.attention_data_parallel;
  const double stages = scenario.layout.pipeline_parallel;
  const double batch = std::min(std::ceil(load.n_sequences / groups), static_cast<double>(limits.max_num_seqs));
  const double input = load.prompt_tokens;
  const double output = load.output_tokens;
  // As many passes are under way as there are stages, each with its share.
  const StepLoad prompt{.prefill_sequences = 1.0 / stages,
                        .prefill_tokens = input / stages,
                        .prefill_kv = input,
                        .finished_prompts = 1.0 / stages};
  const StepLoad decode{.decode_sequences = batch / stages, .decode_kv = input + output / 2.0};
  StepLoad both = prompt;
  both.decode_sequences = decode.decode_sequences;
  both.decode_kv = decode.decode_kv;
  const double alone = timer.seconds(prompt);
  const double step = timer.seconds(decode);
  const bool mixed = scenario.engine.speed.prompts == PromptPolicy::kMixed;
  const double added = mixed ? timer.seconds(both) - step : alone;
  SpeedEstimate estimate;
  estimate.least_ttft_s = alone;
  estimate.least_tpot_s = output > 1.0 ? timer.seconds({.decode_sequences = 1.0 / stages, .decode_kv = input}) : 0.0;
  estimate.tokens_s = groups * batch * output / (output * step + batch * added);
  if (output <= 1.0) {
    estimate.latency_s = alone + (batch - 1.0) * added;
    return estimate;
  }
  // A pass reads no more prompts than its limit of tokens holds. Where prompts go alone they may all be read before any answer goes
  // on, and then cost answers nothing.
  const double most = step + added * std::max(1.0, stages * limits.max_num_batched_tokens / input);
  estimate.latency_s = mixed ? std::min(most, step + (batch - 1.0) * added / (output - 1.0)) : step;
  return estimate;
}

ServedLoad share_of_replica(const ServedLoad& load, int replicas) {
  const int n = std::max(1, replicas);
  ServedLoad share = load;
  share.n_sequences = std::max(1, load.n_sequences / n + (load.n_sequences % n != 0 ? 1 : 0));
  return share;
}

ServedSpeed replicated_speed(const Instance& instance, const ServedLoad& load, int replicas) {
  const ServedLoad share = share_of_replica(load, replicas);
  ServingTime time = serving_time(*instance.timer, serving_load(share), serving_limits(*instance.planner));
  // Replicas with fewer requests yield as much for each.
  const double clients = static_cast<double>(load.n_sequences) / share.n_sequences;
  time.output_tokens_s *= clients;
  time.total_tokens_s *= clients;
  return with_intervals(time, instance.planner->scenario().engine.speed, instance.timer->origin());
}

}  // namespace dachlast
