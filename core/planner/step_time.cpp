#include "core/planner/step_time.h"

#include <algorithm>
#include <map>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr double kMicro = 1e-6;

double link_rate(const TimeScenario& scenario) {
  if (!scenario.offload) return 0.0;
  if (scenario.offload->bytes_per_s) return *scenario.offload->bytes_per_s;
  const auto& link = scenario.device.host_link;
  if (link && link->per_direction) return link->per_direction->value;
  throw Error(ErrorKind::kDevice, scenario.device.name, "its data file lists no rate of its link to the host.",
              "State the rate of the link.");
}

}  // namespace

StepTimer::StepTimer(const TimeScenario& scenario, const EfficiencyCatalog& curves)
    : scenario_(scenario), rates_(device_rates(scenario.device)), work_(step_stages(scenario, curves)) {
  if (scenario.speculation) tokens_per_pass_ = dachlast::tokens_per_pass(*scenario.speculation);
  link_bytes_per_s_ = link_rate(scenario);
}

/// Kernels of passes with prompts start one by one, as no captured graph holds their sizes.
double StepTimer::kernel_seconds(const StepStage& stage, const StepLoad& load) const {
  double seconds = 0.0;
  double launches = 0.0;
  for (const StageOp& op : stage.ops) {
    seconds += op.count * work_seconds(op.what, load, rates_);
    launches += op.count;
  }
  const SpeedFacts& facts = scenario_.engine.speed;
  const bool prompts = load.prefill_tokens > 0.0;
  if (prompts) seconds *= facts.prompt_factor;
  if (!prompts && scenario_.launching == Launching::kCaptured) return seconds;
  return std::max(seconds, kMicro * facts.launch_us * launches);
}

double StepTimer::transfer_seconds(const StepStage& stage, const StepLoad& load) const {
  if (!scenario_.offload) return 0.0;
  double cache = 0.0;
  for (const StageOp& op : stage.ops) cache += op.count * cache_bytes(op.what, load);
  const HostOffload& offload = *scenario_.offload;
  return (offload.weight_share * stage.weight_bytes + offload.cache_share * cache) / link_bytes_per_s_;
}

/// Transfers run beside the kernels of the layers before.
double StepTimer::seconds_of(const StepStage& stage, const StepLoad& load) const {
  return std::max(kernel_seconds(stage, load), transfer_seconds(stage, load)) + draft_seconds(stage, load);
}

double StepTimer::draft_seconds(const StepStage& stage, const StepLoad& load) const {
  if (!scenario_.speculation || !(load.decode_sequences > 0.0)) return 0.0;
  const StepLoad plain{.decode_sequences = load.decode_sequences, .decode_kv = load.decode_kv};
  const Speculation& speculation = *scenario_.speculation;
  return speculation.draft_tokens * speculation.draft_share * kernel_seconds(stage, plain);
}

/// Host time that no kernel hides. Of a pass with kernels of its own it is what the queue of launches leaves over.
double StepTimer::host_seconds(const StepLoad& load) const {
  const SpeedFacts& facts = scenario_.engine.speed;
  return kMicro * (facts.step_us + facts.sequence_us * (load.decode_sequences + load.finished_prompts));
}

namespace {

const ChosenCurve& curve_of(const OpWork& work, const StepLoad& load) {
  return std::visit(
      [&](const auto& what) -> const ChosenCurve& {
        if constexpr (requires { what.decode; })
          return load.decode_sequences > 0.0 ? what.decode : what.prefill;
        else
          return what.curve;
      },
      work);
}

/// Every decoding sequence brings its drafted tokens.
StepLoad with_drafts(StepLoad load, const TimeScenario& scenario) {
  if (scenario.speculation) load.tokens_each = 1.0 + scenario.speculation->draft_tokens;
  return load;
}

}  // namespace

double StepTimer::stage_seconds(const StepLoad& load) const {
  const StepLoad whole = with_drafts(load, scenario_);
  double longest = 0.0;
  for (const StepStage& stage : work_.stages) longest = std::max(longest, seconds_of(stage, whole));
  return longest + host_seconds(load);
}

double StepTimer::seconds(const StepLoad& load) const {
  const StepLoad whole = with_drafts(load, scenario_);
  double sum = 0.0;
  for (const StepStage& stage : work_.stages) sum += seconds_of(stage, whole);
  return sum + host_seconds(load);
}

std::vector<OpSeconds> StepTimer::breakdown(const StepLoad& load) const {
  const StepLoad whole = with_drafts(load, scenario_);
  std::map<OpKind, double> by_kind;
  for (const StepStage& stage : work_.stages)
    for (const StageOp& op : stage.ops) by_kind[op.kind] += op.count * work_seconds(op.what, whole, rates_);
  std::vector<OpSeconds> ops;
  for (const auto& [kind, seconds] : by_kind) ops.push_back({kind, seconds});
  std::ranges::stable_sort(ops, [](const OpSeconds& a, const OpSeconds& b) { return a.seconds > b.seconds; });
  return ops;
}

std::vector<CurveSeconds> StepTimer::by_curve(const StepLoad& load) const {
  const StepLoad whole = with_drafts(load, scenario_);
  std::vector<CurveSeconds> list;
  for (const StepStage& stage : work_.stages)
    for (const StageOp& op : stage.ops)
      list.push_back({op.kind, curve_of(op.what, whole), op.count, op.count * work_seconds(op.what, whole, rates_)});
  return list;
}

}  // namespace dachlast
