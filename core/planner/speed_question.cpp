#include "core/planner/speed_question.h"

#include <algorithm>
#include <cmath>

namespace dachlast {
namespace {

constexpr double kReaderTokens = 8192.0;  // engines' usual limit of a pass

/// Prompts queue for readers and go on to the writers: mean values of a closed loop of clients, between whose visits to the readers
/// lies the time of an answer.
/// Source   mean value analysis, Reiser & Lavenberg 1980, doi:10.1145/322186.322195
ServingTime apart(const SpeedQuestion& question, const StepTimer& readers, const StepTimer& writers) {
  const ServingLoad& load = question.load;
  const double share = 1.0 - load.length_spread / 2.0;
  const double input = load.input_tokens * share;
  const double output = load.output_tokens * share;
  const double groups = question.n_readers * readers.scenario().layout.attention_data_parallel;
  // Prompts that wait are read together, as many as a pass takes.
  const double together = std::max(1.0, std::min(std::floor(kReaderTokens / input), load.n_clients / groups));
  const double service = readers.seconds({.prefill_sequences = together,
                                          .prefill_tokens = together * input,
                                          .prefill_kv = input,
                                          .finished_prompts = together}) /
                         together;
  const double writer_groups = question.n_writers * writers.scenario().layout.attention_data_parallel;
  double writing = load.n_clients;
  ServingTime time;
  constexpr int kRounds = 30;
  for (int round = 0; round < kRounds; ++round) {
    const StepLoad step{.decode_sequences = std::max(1.0, writing / writer_groups), .decode_kv = input + output / 2.0};
    time.tpot_s = writers.seconds(step) / writers.tokens_per_pass();
    const double answer = (output - 1.0) * time.tpot_s;
    const double clients = std::max(1.0, load.n_clients / groups);
    double queue = 0.0;
    for (double n = 1.0; n <= clients; n += 1.0) {
      time.ttft_s = service * (1.0 + queue);
      queue = n / (time.ttft_s + answer) * time.ttft_s;
    }
    writing = 0.5 * writing + 0.5 * load.n_clients * answer / (answer + time.ttft_s);
  }
  // All clients come at once at the start: of ten requests each, one waits for half of the others.
  const double burst = service * (1.0 + load.n_clients / groups) / 2.0;
  const double waves = load.n_requests > 0 ? static_cast<double>(load.n_requests) / load.n_clients : 10.0;
  time.ttft_s = std::max(time.ttft_s, (time.ttft_s * (waves - 1.0) + burst) / waves) +
                1e-6 * readers.scenario().engine.speed.request_us;
  time.mean_batch = writing / writer_groups;
  time.output_tokens_s = load.n_clients * output / (time.ttft_s + (output - 1.0) * time.tpot_s);
  time.total_tokens_s = time.output_tokens_s * (input + output) / output;
  return time;
}

}  // namespace

std::optional<Interval> speed_interval(double figure, const RatioInterval& ratios, EfficiencyOrigin origin) {
  if (!(ratios.low > 0.0) || !(ratios.high > 0.0)) return std::nullopt;
  constexpr double kWider[] = {1.0, 1.2, 1.5};  // by origin
  constexpr double kConfidence = 0.9;
  const double wider = kWider[static_cast<int>(origin)];
  return Interval{figure * std::pow(ratios.low, wider), figure * std::pow(ratios.high, wider), kConfidence};
}

SpeedAnswer answer(const SpeedQuestion& question, const EfficiencyCatalog& curves) {
  const StepTimer timer(question.scenario, curves);
  if (!question.readers) return {serving_time(timer, question.load, question.limits), timer.origin()};
  const StepTimer readers(*question.readers, curves);
  return {apart(question, readers, timer), std::max(readers.origin(), timer.origin())};
}

}  // namespace dachlast
