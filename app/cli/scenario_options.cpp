#include "app/cli/scenario_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <filesystem>

#include "core/workbench/parse.h"

namespace dachlast::cli {
namespace {

constexpr const char* kScenarioGroup = "Scenario";

}  // namespace

void ScenarioOptions::define(CLI::App& app) {
  const auto option = [&](const char* name, auto& value, const char* text, const char* type) {
    return app.add_option(name, value, text)->type_name(type)->group(kScenarioGroup);
  };
  option("--model", model_, "Report a plan: preset, config.json, folder, .safetensors or .gguf", "MODEL");
  option("--gpu", gpu_, "Device to plan for, by id, name or file", "DEVICE");
  option("--context", context_, "Tokens of each sequence, prompt and answer", "TOKENS");
  option("--batch", batch_, "Sequences at once, 1 by default", "N");
  option("--dtype", weights_, "Weights, as `plan` names them", "TYPE");
  option("--kv-dtype", cache_, "KV cache, as `plan` names it", "TYPE");
  option("--kv", kv_, "Kind of cache of the engine dachlast", "KIND");
  option("--tp", layout_.tensor_parallel, "Tensor parallelism", "N");
  option("--pp", layout_.pipeline_parallel, "Pipeline parallelism", "N");
  option("--engine", engine_, "dachlast, vllm, sglang, tensorrt-llm, llama.cpp", "NAME")->capture_default_str();
  option("--memory-fraction", fraction_, "Share of the device the engine may take: 0.9 or 90%", "SHARE");
}

std::string ScenarioOptions::plan_name() const {
  std::filesystem::path model = model_;
  if (!model.has_filename()) model = model.parent_path();  // "folder/"
  return model.filename().string() + "-plan.";  // the dot keeps "llama-3.1-8b" from losing its end to an extension
}

ScenarioPlan ScenarioOptions::plan() const {
  EngineLimits limits;
  if (!fraction_.empty()) {
    const double fraction = parse_percent("--memory-fraction", fraction_);
    limits.memory_fraction = fraction_.ends_with('%') ? fraction : 100 * fraction;
  }
  const Scenario scenario = find_scenario({.model = model_,
                                           .device = gpu_,
                                           .weights = weights_,
                                           .cache = cache_,
                                           .engine = engine_,
                                           .kv = kv_,
                                           .layout = layout_,
                                           .limits = limits});
  const int context = context_.empty() ? std::min(kDefaultPlanContext, scenario.model().max_context)
                                       : parse_count("--context", context_);
  ScenarioPlan plan = plan_scenario(scenario, context, batch_.empty() ? 1 : parse_count("--batch", batch_));
  if (context_.empty())
    plan.scenario.assumptions.insert(plan.scenario.assumptions.begin(),
                                     {"context", fmt::format("Context {} tokens (--context).", context)});
  return plan;
}

}  // namespace dachlast::cli
