#include "core/planner/lever.h"

#include <fmt/core.h>

#include <cmath>
#include <utility>

#include "core/base/error.h"
#include "core/memory/amount_text.h"

namespace dachlast {
namespace {

AdviceState state_of(const Gain& gain) {
  if (gain.value >= kWorthwhile) return AdviceState::kGain;
  return gain.value <= -kWorthwhile ? AdviceState::kLoss : AdviceState::kWasted;
}

std::string shortage(const Replan& plan) {
  return fmt::format("{} short on the fullest device", binary_amount(Bytes{plan.needed_bytes - plan.budget_bytes}));
}

void take_times(Advice& advice, const WorkloadTime& time) {
  advice.ttft_s = time.ttft_s;
  if (time.tpot_s > 0.0) advice.tpot_s = time.tpot_s;
}

class CommandText {
 public:
  void option(std::string_view name, const std::string& value) {
    if (!value.empty()) text_ += fmt::format(" {} {}", name, shell_word(value));
  }
  void option(std::string_view name, const std::optional<int>& value) {
    if (value) text_ += fmt::format(" {} {}", name, *value);
  }
  void count(std::string_view name, int value) {
    if (value != 1) text_ += fmt::format(" {} {}", name, value);
  }
  void flag(std::string_view name) { text_ += fmt::format(" {}", name); }
  std::string take() { return std::move(text_); }

 private:
  std::string text_ = "dachlast plan";
};

}  // namespace

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,+@%=";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string plan_command(const Configuration& c) {
  CommandText text;
  text.option("--model", c.model);
  text.option("--gpu", c.device);
  text.option("--context", std::optional<int>(c.context_tokens()));
  text.option("--batch", std::optional<int>(c.batch_size));
  text.option("--dtype", c.weights);
  text.option("--kv-dtype", c.cache);
  text.option("--kv", c.kv);
  text.count("--tp", c.layout.tensor_parallel);
  text.count("--pp", c.layout.pipeline_parallel);
  text.count("--dp-attention", c.layout.attention_data_parallel);
  if (c.layout.experts == ExpertPlacement::kWhole) text.flag("--expert-parallel");
  if (c.engine != "vllm") text.option("--engine", c.engine);
  if (c.limits.memory_fraction) text.option("--memory-fraction", fmt::format("{}", *c.limits.memory_fraction));
  text.option("--max-num-seqs", c.limits.max_num_seqs);
  text.option("--max-batched-tokens", c.limits.max_num_batched_tokens);
  text.option("--block-size", c.limits.block_tokens);
  return text.take();
}

std::optional<WorkloadTime> Replan::time() const {
  if (timer == nullptr || !fits()) return std::nullopt;
  return workload_time(*timer, load, step_tokens);
}

LeverBench::LeverBench(const Replanner& replanner, Configuration base)
    : replanner_(replanner), base_(std::move(base)), plan_(replanner.plan(base_)), time_(plan_.time()) {}

Advice LeverBench::stated(const Lever& lever, AdviceState state, std::string reason) const {
  Advice advice;
  advice.id = lever.id;
  advice.title = lever.title;
  advice.state = state;
  advice.kind = lever.kind;
  advice.touches = lever.touches;
  advice.reason = std::move(reason);
  advice.risk = lever.risk;
  advice.source = lever.source;
  advice.configuration = base_;
  return advice;
}

Advice LeverBench::untimed(const Lever& lever) const {
  return stated(lever, AdviceState::kUntimed,
                !plan_.fits()            ? "what does not fit has no speed"
                : !plan_.no_time.empty() ? plan_.no_time
                                         : "answers of one token have no decode steps");
}

Advice LeverBench::retimed(const Lever& lever, const WorkloadTime& after, double more_bytes) const {
  if (!time_) return untimed(lever);
  const Gain gain = gain_between(*time_, after);
  Advice advice = stated(lever, state_of(gain), {});
  advice.gain = gain;
  advice.memory_bytes = more_bytes;
  take_times(advice, after);
  return advice;
}

Advice LeverBench::changed(const Lever& lever, const Configuration& configuration) const {
  Replan after;
  try {
    after = replanner_.plan(configuration);
  } catch (const Error& error) {
    return stated(lever, AdviceState::kDoesNotApply, fmt::format("{}: {}", error.subject(), error.reason()));
  }
  Advice advice = stated(lever, AdviceState::kUntimed, {});
  advice.configuration = configuration;
  advice.command = plan_command(configuration);
  advice.memory_bytes = after.needed_bytes - plan_.needed_bytes;
  if (!after.fits()) {
    advice.state = AdviceState::kDoesNotFit;
    advice.reason = shortage(after);
    return advice;
  }
  const auto time = after.time();
  if (!plan_.fits()) {
    advice.state = AdviceState::kMakesFit;
    if (time) take_times(advice, *time);
    return advice;
  }
  if (!time || !time_) {
    advice.reason = time_ ? after.no_time : plan_.no_time;
    return advice;
  }
  advice.gain = gain_between(*time_, *time);
  advice.state = state_of(*advice.gain);
  take_times(advice, *time);
  return advice;
}

}  // namespace dachlast
