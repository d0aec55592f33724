#include "core/workbench/advise.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/error.h"
#include "core/hardware/device_catalog.h"
#include "core/model/model_source.h"
#include "core/model/weights.h"
#include "core/planner/efficiency_catalog.h"
#include "core/viewmodel/format.h"

namespace dachlast {
namespace {

ScenarioRequest request_of(const Configuration& c) {
  return {.model = c.model,
          .device = c.device,
          .weights = c.weights,
          .cache = c.cache,
          .engine = c.engine,
          .kv = c.kv,
          .layout = c.layout,
          .limits = c.limits};
}

/// Bytes of an element of the matrices, where a GGUF file mixes types.
std::optional<double> mixed_bytes(const MemoryPlanner& planner) {
  const PlanScenario& s = planner.scenario();
  if (!s.gguf_types) return std::nullopt;
  return planner.at(1, 1).weights * s.layout.n_devices() / parameter_count(s.model);
}

TimeScenario time_scenario(const MemoryPlanner& planner) {
  const PlanScenario& s = planner.scenario();
  return {.model = s.model,
          .weights = s.weights,
          .cache = s.cache,
          .device = s.device,
          .layout = s.layout,
          .engine = s.engine,
          .weight_bytes = mixed_bytes(planner)};
}

/// Plans by the catalogs of this computer; models and devices that several levers ask for are read once.
class CatalogReplanner : public Replanner {
 public:
  explicit CatalogReplanner(const Configuration& base)
      : base_(base), curves_(data_dir() / "efficiency"), spec_(resolve_model(base.model).spec) {}

  Replan plan(const Configuration& c) const override {
    const Scenario scenario = find_scenario(request_of(c));
    Replan plan;
    plan.planner = scenario.planner;
    plan.load = {.prompt_tokens = static_cast<double>(c.prompt_tokens),
                 .answer_tokens = static_cast<double>(c.answer_tokens),
                 .batch_size = static_cast<double>(c.batch_size)};
    plan.step_tokens = scenario.planner->step_limits().max_num_batched_tokens;
    plan.needed_bytes = scenario.planner->at(c.context_tokens(), c.batch_size).total();
    plan.budget_bytes = scenario.planner->budget_bytes();
    time(plan);
    return plan;
  }

  std::vector<std::string> devices() const override {
    std::vector<std::string> ids;
    for (const DeviceSpec& device : list_devices()) ids.push_back(device.id);
    return ids;
  }

  std::vector<ModelKin> smaller_models() const override {
    if (kin_) return *kin_;
    kin_.emplace();
    const double whole = parameter_count(spec_);
    for (const PresetInfo& preset : list_presets()) add_kin(preset.name, whole);
    std::ranges::stable_sort(*kin_, std::ranges::greater{}, &ModelKin::parameters);
    return *kin_;
  }

 private:
  void time(Replan& plan) const {
    if (plan.planner->scenario().engine.id == "dachlast") {
      plan.no_time = "speeds of the own engine are not predicted yet";
      return;
    }
    try {
      plan.timer = std::make_shared<const CurveTimer>(time_scenario(*plan.planner), curves_);
    } catch (const Error& error) {
      plan.no_time = fmt::format("{}: {}", error.subject(), error.reason());
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

ScenarioAdvice advise_scenario(const AdviceRequest& request) {
  if (request.scenario.device.empty())
    throw Error(ErrorKind::kUsage, "--gpu", "is missing: what helps depends on the device.", "Name one: --gpu h100.");
  const Scenario scenario = find_scenario(request.scenario);
  const int context =
      request.context_tokens > 0 ? request.context_tokens : std::min(kDefaultPlanContext, scenario.model().max_context);
  const ScenarioPlan plan = plan_scenario(scenario, context, request.batch_size);
  const Configuration configuration = configuration_of(request, context);
  ScenarioAdvice advice;
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

}  // namespace dachlast
