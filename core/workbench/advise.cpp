#include "core/workbench/advise.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/hardware/host.h"
#include "core/model/model_source.h"
#include "core/model/weights.h"
#include "core/planner/efficiency_catalog.h"
#include "core/viewmodel/format.h"
#include "core/viewmodel/run_view.h"
#include "core/workbench/host_speed.h"
#include "core/workbench/own_cache.h"
#include "core/workbench/run_request.h"

namespace dachlast {
namespace {

bool is_own(const ScenarioRequest& request) {
  return request.engine == kOwnEngine || is_this_machine(request.device);
}

std::ptrdiff_t common_letters(std::string_view a, std::string_view b) {
  return std::ranges::mismatch(a, b).in1 - a.begin();
}

/// What measured times are of predicted ones.
struct MeasuredShare {
  double prefill = 1.0;
  double decode = 1.0;
};

/// Predictions times what a run took of them: what its computer or model has of its own stays.
class ScaledTimer : public PassTimer {
 public:
  ScaledTimer(std::shared_ptr<const PassTimer> timer, MeasuredShare share) : timer_(std::move(timer)), share_(share) {}

  double seconds(const StepLoad& load) const override { return factor(load) * timer_->seconds(load); }
  double stage_seconds(const StepLoad& load) const override { return factor(load) * timer_->stage_seconds(load); }
  std::vector<TimedPart> parts(const StepLoad& load) const override {
    std::vector<TimedPart> parts = timer_->parts(load);
    for (TimedPart& part : parts) part.seconds *= factor(load);
    return parts;
  }

 private:
  double factor(const StepLoad& load) const { return load.decode_sequences > 0.0 ? share_.decode : share_.prefill; }

  std::shared_ptr<const PassTimer> timer_;
  MeasuredShare share_;
};

/// The own engine takes as many sequences as it is made for, each with steps of its own size.
ScenarioRequest with_own_limits(ScenarioRequest request, int batch_size) {
  if (!is_own(request)) return request;
  request.limits.max_num_seqs = std::max(batch_size, request.limits.max_num_seqs.value_or(0));
  if (!request.limits.max_num_batched_tokens) request.limits.max_num_batched_tokens = kMaxStepTokens * batch_size;
  return request;
}

/// Plans by the catalogs of this computer; models and devices that several levers ask for are read once.
class CatalogReplanner : public Replanner {
 public:
  explicit CatalogReplanner(const Configuration& base, MeasuredShare share = {})
      : base_(base), share_(share), curves_(data_dir() / "efficiency"), spec_(resolve_model(base.model).spec) {}

  Replan plan(const Configuration& c) const override {
    const Scenario scenario = find_scenario(with_own_limits(scenario_request(c), c.batch_size));
    Replan plan;
    plan.planner = scenario.planner;
    plan.load = {.prompt_tokens = static_cast<double>(c.prompt_tokens),
                 .answer_tokens = static_cast<double>(c.answer_tokens),
                 .batch_size = static_cast<double>(c.batch_size)};
    plan.step_tokens = scenario.planner->step_limits().max_num_batched_tokens;
    plan.needed_bytes = scenario.planner->at(c.context_tokens(), c.batch_size).total();
    plan.budget_bytes = scenario.planner->budget_bytes();
    time(plan, c);
    return plan;
  }

  std::vector<std::string> devices() const override {
    std::vector<std::string> ids;
    if (is_this_machine(base_.device)) return ids;  // the own engine runs here
    for (const DeviceSpec& device : list_devices()) ids.push_back(device.id);
    return ids;
  }

  std::vector<ModelKin> smaller_models() const override {
    if (kin_) return *kin_;
    kin_.emplace();
    const double whole = parameter_count(spec_);
    for (const PresetInfo& preset : list_presets()) add_kin(preset.name, whole);
    // Of equally large ones the one whose name is most alike comes first.
    std::ranges::stable_sort(*kin_, std::ranges::greater{}, [&](const ModelKin& kin) {
      return std::pair(std::round(kin.parameters / 1e8), common_letters(kin.name, base_.model));
    });
    return *kin_;
  }

 private:
  void time_own(Replan& plan, const Configuration& c) const {
    const PlanScenario& s = plan.planner->scenario();
    const auto precision = engine_precision(s);
    if (!is_this_machine(c.device)) {
      plan.no_time = "speeds of the own engine are predicted on this computer only";
    } else if (!c.attention.empty()) {
      plan.no_time = "the curves know the fastest attention only";
    } else if (!precision) {
      plan.no_time = "the own engine has no such types";
    } else if (auto timer = host_timer(host_id(), static_cast<int>(host_.core_ids.size()), s.model, *precision)) {
      plan.timer = std::make_shared<const ScaledTimer>(std::make_shared<const CpuTimer>(*std::move(timer)), share_);
    } else {
      plan.no_time = "nothing alike was timed on this computer (dachlast calibrate)";
    }
  }

  void time(Replan& plan, const Configuration& c) const {
    if (plan.planner->scenario().engine.id == kOwnEngine) return time_own(plan, c);
    try {
      plan.timer = std::make_shared<const CurveTimer>(time_scenario_of(plan.planner->scenario()), curves_);
    } catch (const Error& error) {
      plan.no_time = fmt::format("{}: {}", error.subject(), error.reason());
      if (plan.no_time.ends_with('.')) plan.no_time.pop_back();  // a part of sentences
    }
  }

  void add_kin(const std::string& name, double whole) const {
    try {
      const ModelSpec spec = resolve_model(name).spec;
      const double parameters = parameter_count(spec);
      if (spec.architecture == spec_.architecture && spec.vocab_size == spec_.vocab_size && parameters < whole)
        kin_->push_back({name, parameters});
    } catch (const Error&) {
      return;  // a preset that cannot be read is nobody's kin
    }
  }

  Configuration base_;
  MeasuredShare share_;
  HostTopology host_ = read_host_topology();
  EfficiencyCatalog curves_;
  ModelSpec spec_;
  mutable std::optional<std::vector<ModelKin>> kin_;
};

Configuration configuration_of(const AdviceRequest& request, int context) {
  const ScenarioRequest& s = request.scenario;
  const int answer = request.answer_tokens > 0 ? request.answer_tokens : std::max(1, context / kAnswerShare);
  if (answer >= context)
    throw Error(ErrorKind::kUsage, fmt::format("--answer {}", answer),
                fmt::format("leaves no room for a prompt in a context of {} tokens.", context),
                "Give a shorter answer or a longer --context.");
  return {.model = s.model,
          .device = s.device,
          .weights = s.weights,
          .cache = s.cache,
          .engine = s.engine,
          .kv = s.kv,
          .attention = {},
          .layout = s.layout,
          .limits = s.limits,
          .prompt_tokens = context - answer,
          .answer_tokens = answer,
          .batch_size = request.batch_size};
}

}  // namespace

ScenarioRequest scenario_request(const Configuration& c) {
  return {.model = c.model,
          .device = c.device,
          .weights = c.weights,
          .cache = c.cache,
          .engine = c.engine,
          .kv = c.kv,
          .layout = c.layout,
          .limits = c.limits};
}

ScenarioAdvice advise_scenario(const AdviceRequest& request) {
  if (request.scenario.device.empty())
    throw Error(ErrorKind::kUsage, "--gpu", "is missing: what helps depends on the device.", "Name one: --gpu h100.");
  const Scenario scenario = find_scenario(with_own_limits(request.scenario, request.batch_size));
  const int context =
      request.context_tokens > 0 ? request.context_tokens : std::min(kDefaultPlanContext, scenario.model().max_context);
  const ScenarioPlan plan = plan_scenario(scenario, context, request.batch_size);
  const Configuration configuration = configuration_of(request, context);
  ScenarioAdvice advice;
  advice.request = request.scenario;
  advice.report = advise(CatalogReplanner(configuration), configuration);
  advice.warnings = plan.scenario.warnings;
  advice.assumptions = plan.scenario.assumptions;
  if (request.context_tokens == 0)
    advice.assumptions.push_back({"context", fmt::format("Context {} tokens (--context).", context)});
  if (request.answer_tokens == 0)
    advice.assumptions.push_back({"answer", fmt::format("Prompts of {} tokens and answers of {} (--answer).",
                                                        viewmodel::format_count(configuration.prompt_tokens),
                                                        viewmodel::format_count(configuration.answer_tokens))});
  return advice;
}

namespace {

AdviceRequest request_of(const Run& run, const PointSummary* decode, const PointSummary* prefill) {
  const auto& point = decode != nullptr ? *decode : *prefill;
  AdviceRequest request;
  request.scenario.model = run.model.name;
  request.scenario.device = "this-machine";
  request.scenario.engine = kOwnEngine;
  request.scenario.weights = run.precision.weights == DType::kF32 ? "f32" : std::string(name_of(run.precision.weights));
  request.scenario.cache = name_of(run.precision.kv.format);
  if (run.kv != "contiguous") request.scenario.kv = run.kv;
  request.context_tokens = point.context_tokens;
  request.batch_size = point.batch_size;
  return request;
}

/// Empty where the phase was not measured, or nothing predicts it.
std::optional<double> share_of_prediction(const Run& run, const PointSummary* point) {
  if (point == nullptr) return std::nullopt;
  const auto timer = host_timer(run.roofs.host_id, run.n_threads, resolve_model(run.model.name).spec, run.precision);
  if (!timer) return std::nullopt;
  const Step step{.phase = point->phase,
                  .batch_size = point->batch_size,
                  .q_len = point->phase == Phase::kPrefill ? point->context_tokens : 1,
                  .kv_len = point->context_tokens};
  return point->time_s.median / point_time(*timer, step, kMaxStepTokens).value;
}

void note_baseline(const PointSummary* point, const std::optional<double>& share, std::vector<Remark>& assumptions) {
  if (point == nullptr) return;
  const std::string of_prediction =
      share ? fmt::format(", {} of what is predicted", viewmodel::format_percent(*share)) : std::string();
  assumptions.push_back(
      {"measured_baseline", fmt::format("{} as measured: {}{}.", viewmodel::point_heading(*point),
                                        viewmodel::format_time(Seconds{point->time_s.median}), of_prediction)});
}

}  // namespace

ScenarioAdvice advise_run(const Run& run) {
  if (run.roofs.host_id != host_id())
    throw Error(ErrorKind::kDevice, run.model.name, "the run was measured on another computer.",
                "Run `dachlast advise` there, or name a scenario: --model and --gpu.");
  const auto points = viewmodel::summaries_of(run);
  const PointSummary* decode = viewmodel::representative(points, Phase::kDecode);
  const PointSummary* prefill = viewmodel::representative(points, Phase::kPrefill);
  if (decode == nullptr && prefill == nullptr)
    throw Error(ErrorKind::kInput, run.model.name, "the run measured neither prefill nor decode.");
  const AdviceRequest request = request_of(run, decode, prefill);
  const auto prefill_share = share_of_prediction(run, prefill);
  const auto decode_share = share_of_prediction(run, decode);
  const MeasuredShare share{prefill_share.value_or(1.0), decode_share.value_or(1.0)};
  const Configuration configuration = configuration_of(request, request.context_tokens);
  ScenarioAdvice advice;
  advice.request = request.scenario;
  advice.report = advise(CatalogReplanner(configuration, share), configuration);
  note_baseline(prefill, prefill_share, advice.assumptions);
  note_baseline(decode, decode_share, advice.assumptions);
  advice.assumptions.push_back({"answer", fmt::format("Prompts of {} tokens and answers of {}.",
                                                      viewmodel::format_count(configuration.prompt_tokens),
                                                      viewmodel::format_count(configuration.answer_tokens))});
  return advice;
}

}  // namespace dachlast
