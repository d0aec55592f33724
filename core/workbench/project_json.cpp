#include "core/workbench/project_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

template <class T>
void put(json& j, const char* key, const std::optional<T>& value) {
  if (value) j[key] = *value;
}

void put_text(json& j, const char* key, const std::string& value) {
  if (!value.empty()) j[key] = value;
}

template <class T>
std::optional<T> get(const json& j, const char* key) {
  return j.contains(key) ? std::optional<T>(j.at(key).get<T>()) : std::nullopt;
}

}  // namespace

json scenario_json(const ProjectScenario& scenario) {
  const ScenarioRequest& request = scenario.request;
  json j{{"model", request.model}, {"context_tokens", scenario.context_tokens}, {"batch", scenario.batch_size}};
  put_text(j, "device", request.device);
  put_text(j, "weights", request.weights);
  put_text(j, "kv_cache", request.cache);
  put_text(j, "engine", request.engine);
  put_text(j, "kv", request.kv);
  j["tensor_parallel"] = request.layout.tensor_parallel;
  j["pipeline_parallel"] = request.layout.pipeline_parallel;
  j["attention_data_parallel"] = request.layout.attention_data_parallel;
  j["expert_parallel"] = request.layout.experts == ExpertPlacement::kWhole;
  put(j, "memory_fraction", request.limits.memory_fraction);
  put(j, "max_num_seqs", request.limits.max_num_seqs);
  put(j, "max_batched_tokens", request.limits.max_num_batched_tokens);
  put(j, "block_size_tokens", request.limits.block_tokens);
  return j;
}

ProjectScenario scenario_from_json(const json& j) {
  ProjectScenario scenario;
  ScenarioRequest& request = scenario.request;
  request.model = j.at("model").get<std::string>();
  scenario.context_tokens = j.at("context_tokens").get<int>();
  scenario.batch_size = j.at("batch").get<int>();
  request.device = j.value("device", "");
  request.weights = j.value("weights", "");
  request.cache = j.value("kv_cache", "");
  request.engine = j.value("engine", request.engine);
  request.kv = j.value("kv", "");
  request.layout.tensor_parallel = j.value("tensor_parallel", 1);
  request.layout.pipeline_parallel = j.value("pipeline_parallel", 1);
  request.layout.attention_data_parallel = j.value("attention_data_parallel", 1);
  if (j.value("expert_parallel", false)) request.layout.experts = ExpertPlacement::kWhole;
  request.limits = {.memory_fraction = get<double>(j, "memory_fraction"),
                    .max_num_seqs = get<int>(j, "max_num_seqs"),
                    .max_num_batched_tokens = get<int>(j, "max_batched_tokens"),
                    .block_tokens = get<int>(j, "block_size_tokens")};
  return scenario;
}

bool ProjectScenario::operator==(const ProjectScenario& other) const {
  return scenario_json(*this) == scenario_json(other);
}

}  // namespace dachlast
