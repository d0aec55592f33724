#include "core/workbench/verify_advice.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <memory>

#include "core/base/error.h"
#include "core/base/statistics.h"
#include "core/engine/quiet_point.h"
#include "core/hardware/host.h"
#include "core/model/random_weights.h"
#include "core/viewmodel/format.h"
#include "core/workbench/host_speed.h"
#include "core/workbench/own_cache.h"
#include "kernels/packed_linear.h"

namespace dachlast {
namespace {

constexpr std::uint64_t kSeed = 42;

/// One configuration as the engine runs it.
struct Setup {
  Configuration configuration;
  ModelSource source;
  Precision precision;
  KvSpec kv;
};

Setup setup_of(const Configuration& c) {
  ScenarioRequest request = scenario_request(c);
  request.limits = {};
  const Scenario scenario = find_scenario(request);
  const auto precision = engine_precision(scenario.planner->scenario());
  if (!precision) throw Error(ErrorKind::kUsage, c.weights, "the own engine has no such types.");
  return {c, resolve_model(c.model), *precision, own_cache(request, scenario.planner->scenario().engine)};
}

/// Weights of the setups, made once.
class WeightPool {
 public:
  explicit WeightPool(int n_threads) : n_threads_(n_threads) {}

  const Weights& of(const Setup& setup) {
    const std::string key = fmt::format("{} {}", setup.source.spec.name, name_of(setup.precision.weights));
    auto& weights = pool_[key];
    if (weights) return *weights;
    const WeightStorage storage = kernels::weight_storage(setup.precision.weights);
    const bool readable = setup.source.weights_path && setup.source.weights_path->extension() != ".gguf";
    weights = readable ? open_weights(setup.source.spec, *setup.source.weights_path, storage)
                       : random_weights(setup.source.spec, kSeed, storage, n_threads_);
    return *weights;
  }

 private:
  int n_threads_;
  std::map<std::string, std::unique_ptr<Weights>> pool_;
};

/// Measures setups one after the other.
class Measurer {
 public:
  explicit Measurer(std::stop_token stop)
      : stop_(std::move(stop)),
        host_(read_host_topology()),
        n_threads_(static_cast<int>(host_.core_ids.size())),
        weights_(n_threads_) {}

  /// Requests a second.
  double rate(const Setup& setup) {
    const Configuration& c = setup.configuration;
    Engine engine(setup.source.spec, weights_.of(setup), options(setup));
    double seconds = c.prompt_tokens > 0 ? point(engine, Phase::kPrefill, c.prompt_tokens) : 0.0;
    const int middle = c.prompt_tokens + std::max(1, c.answer_tokens / 2);
    if (c.answer_tokens > 1) seconds += (c.answer_tokens - 1) * point(engine, Phase::kDecode, middle);
    return c.batch_size / seconds;
  }

 private:
  EngineOptions options(const Setup& setup) const {
    const Configuration& c = setup.configuration;
    return {.precision = {.weights = setup.precision.weights, .kv = storage_of(setup.kv, setup.precision.kv.format)},
            .n_threads = n_threads_,
            .batch_size = c.batch_size,
            .capacity_tokens = c.context_tokens(),
            .max_step_tokens = longest_step(setup.kv, std::min(c.context_tokens(), kMaxStepTokens)),
            .logits = LogitsFor::kLastToken,
            .core_ids = host_.core_ids,
            .attention_variant = c.attention,
            .linear_variant = {},
            .kv = setup.kv,
            .weight_layout = kernels::weight_storage(setup.precision.weights).layout};
  }

  double point(Engine& engine, Phase phase, int context) {
    const QuietPoint measured =
        run_quietly(engine, phase, context, {.seconds = 0.25, .n_attempts = 3}, host_.core_ids, stop_);
    if (stop_.stop_requested() || measured.result.measurement.samples_s.empty())
      throw Error(ErrorKind::kInterrupted, "advise --verify", "Stopped before every lever was run.");
    return median(measured.result.measurement.samples_s);
  }

  std::stop_token stop_;
  HostTopology host_;
  int n_threads_;
  WeightPool weights_;
};

/// Levers that are another configuration of the engine here. Attention without tiles is run for comparison though
/// nobody would pull it.
bool can_be_run(const Advice& advice) {
  const bool changed = advice.state == AdviceState::kGain || advice.state == AdviceState::kWasted ||
                       advice.state == AdviceState::kLoss || advice.state == AdviceState::kUntimed;
  return changed && !advice.command.empty();
}

Gain gain_of(const std::vector<double>& ratios) {
  const auto [low, high] = std::ranges::minmax(ratios);
  return {median(ratios) - 1.0, low - 1.0, high - 1.0};
}

/// The lever and the setup that runs it.
struct Trial {
  Advice* advice;
  Setup setup;
  std::vector<double> ratios = {};  // of requests a second to the base of the same round
};

std::vector<Trial> trials_of(AdviceReport& report) {
  std::vector<Trial> trials;
  for (Advice& advice : report.advice)
    if (can_be_run(advice)) trials.push_back({&advice, setup_of(advice.configuration)});
  const auto tiles = std::ranges::find(report.advice, "flash-attention", &Advice::id);
  if (tiles == report.advice.end() || tiles->state != AdviceState::kInUse) return trials;
  Setup naive = setup_of(report.configuration);
  naive.configuration.attention = "naive";
  trials.push_back({&*tiles, std::move(naive)});
  return trials;
}

/// What tiles bring is the inverse of what their absence costs.
void take_measured(Trial& trial) {
  if (trial.advice->state == AdviceState::kInUse)
    for (double& ratio : trial.ratios) ratio = 1.0 / ratio;
  trial.advice->measured = gain_of(trial.ratios);
  if (trial.advice->state == AdviceState::kInUse)
    trial.advice->reason += fmt::format("; run in turn with attention that is not: {} requests a second",
                                        viewmodel::format_change(trial.advice->measured->value));
}

}  // namespace

void verify_advice(ScenarioAdvice& advice, int n_rounds, JobObserver& observer, const std::stop_token& stop) {
  AdviceReport& report = advice.report;
  if (!is_this_machine(report.configuration.device))
    throw Error(ErrorKind::kUsage, "--verify", "runs levers on this computer, and the advice is for another device.",
                "Add --gpu this-machine, or leave --verify out.");
  if (!report.fits)
    throw Error(ErrorKind::kDoesNotFit, "--verify", "what does not fit cannot be run.", "Choose a smaller --batch.");
  const Setup base = setup_of(report.configuration);
  std::vector<Trial> trials = trials_of(report);
  Measurer measurer(stop);
  const int n_steps = n_rounds * static_cast<int>(trials.size());
  int step = 0;
  for (int round = 0; round < n_rounds; ++round)
    for (Trial& trial : trials) {
      observer.began(fmt::format("Running: {}", trial.advice->title), step++, n_steps);
      const double before = measurer.rate(base);
      trial.ratios.push_back(measurer.rate(trial.setup) / before);
    }
  for (Trial& trial : trials) take_measured(trial);
}

}  // namespace dachlast
