#include "core/workbench/open_plan.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/base/error.h"
#include "core/store/run_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

template <class T>
std::optional<T> optional_value(const json& j, const char* key) {
  return j.contains(key) ? std::optional<T>(j.at(key).get<T>()) : std::nullopt;
}

ScenarioRequest request_from(const json& document) {
  const json& j = document.at("request");
  ScenarioRequest request;
  request.model = j.at("model").get<std::string>();
  request.device = j.value("device", "");
  request.weights = j.value("weights", "");
  request.cache = j.value("kv_cache", "");
  request.engine = j.value("engine", request.engine);
  request.kv = j.value("kv", "");
  request.limits = {.memory_fraction = optional_value<double>(j, "memory_fraction"),
                    .max_num_seqs = optional_value<int>(j, "max_num_seqs"),
                    .max_num_batched_tokens = optional_value<int>(j, "max_batched_tokens"),
                    .block_tokens = optional_value<int>(j, "block_size_tokens")};
  request.layout.tensor_parallel = document.value("tensor_parallel", 1);
  request.layout.pipeline_parallel = document.value("pipeline_parallel", 1);
  request.layout.attention_data_parallel = document.value("attention_data_parallel", 1);
  if (document.value("expert_parallel", false)) request.layout.experts = ExpertPlacement::kWhole;
  return request;
}

}  // namespace

std::optional<ScenarioPlan> open_plan(const std::filesystem::path& file) {
  const auto text = document_text(file);
  if (!text) return std::nullopt;
  try {
    const json document = json::parse(document_data(file.string(), *text));
    if (!document.is_object() || document.value("schema", "") != "dachlast.plan/1") return std::nullopt;
    return plan_scenario(find_scenario(request_from(document)), document.at("context_tokens").get<int>(),
                         document.at("batch").get<int>());
  } catch (const json::exception& error) {
    throw Error(ErrorKind::kInput, file.string(), fmt::format("the data in it are damaged: {}.", error.what()),
                "Copy the file again, or plan anew.");
  }
}

}  // namespace dachlast
