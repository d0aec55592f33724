#include "reports/json.h"
#include "reports/json_parts.h"

namespace dachlast::reports {
namespace {

void put_change(Json& json, const TimeChange& time, const std::optional<Bound>& bound) {
  put(json, "base_s", time.base.value);
  put(json, "other_s", time.other.value);
  put(json, "change", time.change);
  if (time.noise) put(json, "noise", *time.noise);
  json["verdict"] = name_of(time.verdict);
  if (bound) json["bound"] = name_of(*bound);
}

Json key_json(const PointKey& key) {
  Json json;
  json["phase"] = name_of(key.phase);
  json["context_tokens"] = key.context_tokens;
  if (key.depth_tokens > 0) json["depth_tokens"] = key.depth_tokens;
  json["batch"] = key.batch_size;
  json["kv_cache"] = name_of(key.kv_policy);
  return json;
}

Json keys_json(const std::vector<PointKey>& keys) {
  Json json = Json::array();
  for (const auto& key : keys) json.push_back(key_json(key));
  return json;
}

Json run_json(const Run& run) {
  Json json;
  json["id"] = run.id;
  json["created_at"] = run.created_at;
  json["model"] = run.model.name;
  json["device"] = run.roofs.device;
  json["program_version"] = run.program_version;
  return json;
}

Json phase_json(const PhaseChange& phase) {
  Json json;
  json["phase"] = name_of(phase.phase);
  json["points"] = phase.n_points;
  put_change(json, phase.time, phase.bound);
  return json;
}

Json point_json(const PointChange& point) {
  Json json = key_json(point.key);
  put_change(json, point.time, point.bound);
  json["ops"] = Json::array();
  for (const auto& op : point.ops) {
    Json entry;
    entry["op"] = name_of(op.op);
    put(entry, "base_s", op.base.value);
    put(entry, "other_s", op.other.value);
    json["ops"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace

std::string json_compare(const Run& base, const Run& other, const Comparison& comparison) {
  Json json;
  json["schema"] = "dachlast.compare/1";
  json["base"] = run_json(base);
  json["other"] = run_json(other);
  json["configuration"] = Json::array();
  for (const auto& change : comparison.configuration)
    json["configuration"].push_back({{"setting", change.key}, {"base", change.base}, {"other", change.other}});
  json["phases"] = Json::array();
  for (const auto& phase : comparison.phases) json["phases"].push_back(phase_json(phase));
  json["points"] = Json::array();
  for (const auto& point : comparison.points) json["points"].push_back(point_json(point));
  json["only_in_base"] = keys_json(comparison.only_in_base);
  json["only_in_other"] = keys_json(comparison.only_in_other);
  return text_of(json) + "\n";
}

}  // namespace dachlast::reports
