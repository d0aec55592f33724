#include "app/documents/scenario_json.h"

#include <nlohmann/json.hpp>

#include "core/viewmodel/privacy.h"
#include "reports/json_parts.h"

namespace dachlast {
namespace {

using nlohmann::ordered_json;
using reports::remarks_json;
using reports::segments_json;

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json memory_json(const DeviceMemory& memory) {
  return {{"weights_bytes", memory.weights},         {"kv_cache_bytes", memory.kv_cache},
          {"activations_bytes", memory.activations}, {"workspace_bytes", memory.workspace},
          {"runtime_bytes", memory.runtime},         {"total_bytes", memory.total()}};
}

ordered_json subject_json(const Scenario& scenario) {
  const PlanScenario& s = scenario.planner->scenario();
  return {{"model", s.model.name},
          {"device", scenario.has_device ? ordered_json(s.device.id) : ordered_json(nullptr)},
          {"n_devices", s.layout.n_devices()},
          {"tensor_parallel", s.layout.tensor_parallel},
          {"pipeline_parallel", s.layout.pipeline_parallel},
          {"attention_data_parallel", s.layout.attention_data_parallel},
          {"expert_parallel", s.layout.experts == ExpertPlacement::kWhole},
          {"weights", weights_name(s)},
          {"kv_cache", s.cache.name},
          {"engine", s.engine.id}};
}

void put_figure(ordered_json& json, const std::string& key, const SpeedFigure& figure) {
  json[key] = figure.value;
  json[key + "_low"] = figure.interval ? ordered_json(figure.interval->low) : ordered_json(nullptr);
  json[key + "_high"] = figure.interval ? ordered_json(figure.interval->high) : ordered_json(nullptr);
}

ordered_json speed_json(const ServedSpeed& speed) {
  ordered_json json;
  put_figure(json, "ttft_s", speed.ttft_s);
  if (speed.tpot_s) put_figure(json, "tpot_s", *speed.tpot_s);
  put_figure(json, "output_tokens_s", speed.output_tokens_s);
  json["mean_batch"] = speed.mean_batch;
  json["interval_confidence"] = kSpeedConfidence;
  json["origin"] = name_of(Origin::kEstimated);
  json["kernels"] = name_of(speed.origin);
  return json;
}

ordered_json plan_speed_json(const ScenarioSpeed& speed) {
  if (!speed.predicted.speed) return {{"predicted", false}, {"reason", speed.predicted.reason}};
  ordered_json json = {{"predicted", true},
                       {"prompt_tokens", speed.load.prompt_tokens},
                       {"output_tokens", speed.load.output_tokens},
                       {"concurrency", speed.load.n_sequences}};
  json.update(speed_json(*speed.predicted.speed));
  return json;
}

/// What was asked, for the program to plan it anew; folders are left out, as in every document that travels.
ordered_json request_json(const ScenarioRequest& request) {
  ordered_json json = {{"model", viewmodel::without_folders(request.model)},
                       {"device", viewmodel::without_folders(request.device)},
                       {"weights", request.weights},
                       {"kv_cache", request.cache},
                       {"engine", request.engine},
                       {"kv", request.kv}};
  const auto put = [&](const char* key, const auto& value) {
    if (value) json[key] = *value;
  };
  put("memory_fraction", request.limits.memory_fraction);
  put("max_num_seqs", request.limits.max_num_seqs);
  put("max_batched_tokens", request.limits.max_num_batched_tokens);
  put("block_size_tokens", request.limits.block_tokens);
  return json;
}

ordered_json scenario_document(const ScenarioPlan& plan) {
  const Scenario& scenario = plan.scenario;
  ordered_json per_gpu = memory_json(plan.memory);
  per_gpu["budget_bytes"] =
      scenario.has_device ? ordered_json(scenario.planner->budget_bytes()) : ordered_json(nullptr);
  per_gpu["capacity_bytes"] =
      scenario.has_device ? ordered_json(scenario.planner->capacity_bytes()) : ordered_json(nullptr);
  ordered_json document = {{"schema", "dachlast.plan/1"}};
  document.update(subject_json(scenario));
  document["request"] = request_json(scenario.request);
  document["context_tokens"] = plan.context_tokens;
  document["batch"] = plan.batch_size;
  document["fits"] = scenario.has_device ? ordered_json(plan.fits) : ordered_json(nullptr);
  document["fit_probability"] = scenario.has_device ? ordered_json(plan.fit_probability) : ordered_json(nullptr);
  document["per_gpu"] = std::move(per_gpu);
  document["kv_bytes_per_token"] = scenario.planner->kv_bytes_per_token();
  document["max_context_tokens"] = or_null(plan.max_context);
  document["max_batch"] = or_null(plan.max_batch);
  ordered_json ways = ordered_json::array();
  for (const WayToFit& way : plan.ways) ways.push_back(way.text);
  document["ways_to_fit"] = std::move(ways);
  document["segments"] = segments_json(plan.segments);
  if (plan.speed) document["speed"] = plan_speed_json(*plan.speed);
  document["warnings"] = remarks_json(scenario.warnings);
  document["assumptions"] = remarks_json(scenario.assumptions);
  return document;
}

std::string text_of(const ordered_json& document, int indent) {
  return document.dump(indent, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string json_scenario(const ScenarioPlan& plan) {
  return text_of(scenario_document(plan), 2);
}

std::string jsonl_scenarios(std::span<const ScenarioPlan> plans) {
  std::string lines;
  for (const ScenarioPlan& plan : plans) lines += text_of(scenario_document(plan), -1);
  return lines;
}

std::string json_scenarios(std::span<const ScenarioPlan> plans) {
  ordered_json list = ordered_json::array();
  for (const ScenarioPlan& plan : plans) list.push_back(scenario_document(plan));
  return text_of({{"schema", "dachlast.plans/1"}, {"plans", std::move(list)}}, 2);
}

std::string json_sweep(const ScenarioSweep& sweep, const SweepSpeeds& speeds) {
  ordered_json cells = ordered_json::array();
  const MemoryPlanner& planner = *sweep.scenario.planner;
  for (std::size_t b = 0; b < sweep.batches.size(); ++b)
    for (std::size_t c = 0; c < sweep.contexts.size(); ++c) {
      ordered_json cell = {{"context_tokens", sweep.contexts[c]}, {"batch", sweep.batches[b]}};
      cell.update(memory_json(sweep.at(b, c)));
      if (sweep.scenario.has_device) cell["fits"] = sweep.at(b, c).total() <= planner.budget_bytes();
      if (const auto& speed = speeds.cells.at(b * sweep.contexts.size() + c)) cell["speed"] = speed_json(*speed);
      cells.push_back(std::move(cell));
    }
  ordered_json document = {{"schema", "dachlast.sweep/1"}};
  document.update(subject_json(sweep.scenario));
  document["budget_bytes"] = sweep.scenario.has_device ? ordered_json(planner.budget_bytes()) : ordered_json(nullptr);
  document["cells"] = std::move(cells);
  if (!speeds.reason.empty()) document["speed_reason"] = speeds.reason;
  document["warnings"] = remarks_json(sweep.scenario.warnings);
  document["assumptions"] = remarks_json(sweep.scenario.assumptions);
  return text_of(document, 2);
}

}  // namespace dachlast
