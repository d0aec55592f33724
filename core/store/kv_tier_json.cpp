// Records of what passes between the tiers of a KV cache, and of offload against recompute, and of what-ifs.
#include <fmt/core.h>

#include "core/store/enum_names.h"
#include "core/store/record_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

json point_json(const KvBreakEvenPoint& point) {
  return {{"context_tokens", point.context_tokens},
          {"recomputed_tokens", point.recomputed_tokens},
          {"kept_s", point.kept_s},
          {"fetch_predicted_s", point.fetch_predicted_s},
          {"fetch_s", point.fetch_s},
          {"recompute_predicted_s", point.recompute_predicted_s},
          {"recompute_s", point.recompute_s}};
}

KvBreakEvenPoint point_from(const json& j) {
  KvBreakEvenPoint point;
  j.at("context_tokens").get_to(point.context_tokens);
  j.at("recomputed_tokens").get_to(point.recomputed_tokens);
  j.at("kept_s").get_to(point.kept_s);
  j.at("fetch_predicted_s").get_to(point.fetch_predicted_s);
  j.at("fetch_s").get_to(point.fetch_s);
  j.at("recompute_predicted_s").get_to(point.recompute_predicted_s);
  j.at("recompute_s").get_to(point.recompute_s);
  return point;
}

template <class T>
std::optional<T> optional_at(const json& j, const char* key) {
  const auto found = j.find(key);
  return found == j.end() ? std::nullopt : std::optional<T>(found->get<T>());
}

json what_if_point_json(const WhatIfPoint& point) {
  return {{"phase", name_of(point.phase)},
          {"context_tokens", point.context_tokens},
          {"batch_size", point.batch_size},
          {"as_is_s", point.as_is_s},
          {"what_if_s", point.what_if_s},
          {"kv_as_is_bytes", point.kv_as_is_bytes},
          {"kv_what_if_bytes", point.kv_what_if_bytes}};
}

WhatIfPoint what_if_point_from(const json& j) {
  WhatIfPoint point;
  j.at("context_tokens").get_to(point.context_tokens);
  j.at("batch_size").get_to(point.batch_size);
  j.at("as_is_s").get_to(point.as_is_s);
  j.at("what_if_s").get_to(point.what_if_s);
  j.at("kv_as_is_bytes").get_to(point.kv_as_is_bytes);
  j.at("kv_what_if_bytes").get_to(point.kv_what_if_bytes);
  return point;
}

}  // namespace

void to_json(json& j, const WhatIfRun& what_if) {
  j = {{"text", what_if.text}, {"points", json::array()}};
  for (const WhatIfPoint& point : what_if.points) j["points"].push_back(what_if_point_json(point));
}

WhatIfRun what_if_from_json(const json& j, std::vector<std::string>& skipped) {
  WhatIfRun what_if{.text = j.at("text").get<std::string>(), .points = {}};
  for (const json& one : j.at("points")) {
    const auto name = one.at("phase").get<std::string>();
    const auto phase = enum_from_name(name, kAllPhases);
    if (!phase) {
      skipped.push_back(fmt::format("what-if of phase {}", name));
      continue;
    }
    what_if.points.push_back(what_if_point_from(one));
    what_if.points.back().phase = *phase;
  }
  return what_if;
}

void to_json(json& j, const KvTrafficPerStep& traffic) {
  const KvTraffic& total = traffic.total;
  j = {{"n_steps", traffic.n_steps},
       {"n_reads", total.n_reads},
       {"n_writes", total.n_writes},
       {"read_bytes", total.read_bytes},
       {"written_bytes", total.written_bytes},
       {"read_s", total.read_s},
       {"write_s", total.write_s},
       {"waited_s", total.waited_s},
       {"n_recomputed_tokens", total.n_recomputed_tokens}};
}

void from_json(const json& j, KvTrafficPerStep& traffic) {
  KvTraffic& total = traffic.total;
  j.at("n_steps").get_to(traffic.n_steps);
  j.at("n_reads").get_to(total.n_reads);
  j.at("n_writes").get_to(total.n_writes);
  j.at("read_bytes").get_to(total.read_bytes);
  j.at("written_bytes").get_to(total.written_bytes);
  j.at("read_s").get_to(total.read_s);
  j.at("write_s").get_to(total.write_s);
  j.at("waited_s").get_to(total.waited_s);
  j.at("n_recomputed_tokens").get_to(total.n_recomputed_tokens);
}

void to_json(json& j, const KvBreakEven& c) {
  j = {{"tier", c.tier},
       {"tier_text", c.tier_text},
       {"n_layers", c.n_layers},
       {"chunk_tokens", c.chunk_tokens},
       {"chunk_bytes", c.chunk_bytes},
       {"per_layer_s", c.per_layer_s},
       {"per_chunk_s", c.per_chunk_s},
       {"flops_per_token", c.flops_per_token},
       {"flops_per_pair", c.flops_per_pair},
       {"flops_per_s", c.flops_per_s},
       {"roof_share", c.roof_share},
       {"rate_tokens", c.rate_tokens},
       {"points", json::array()}};
  if (c.fetch_faster_at) j["fetch_faster_at"] = *c.fetch_faster_at;
  if (c.break_even_bytes_per_s) j["break_even_bytes_per_s"] = *c.break_even_bytes_per_s;
  for (const KvBreakEvenPoint& point : c.points) j["points"].push_back(point_json(point));
}

void from_json(const json& j, KvBreakEven& c) {
  j.at("tier").get_to(c.tier);
  j.at("tier_text").get_to(c.tier_text);
  j.at("n_layers").get_to(c.n_layers);
  j.at("chunk_tokens").get_to(c.chunk_tokens);
  j.at("chunk_bytes").get_to(c.chunk_bytes);
  j.at("per_layer_s").get_to(c.per_layer_s);
  j.at("per_chunk_s").get_to(c.per_chunk_s);
  j.at("flops_per_token").get_to(c.flops_per_token);
  j.at("flops_per_pair").get_to(c.flops_per_pair);
  j.at("flops_per_s").get_to(c.flops_per_s);
  j.at("roof_share").get_to(c.roof_share);
  j.at("rate_tokens").get_to(c.rate_tokens);
  c.fetch_faster_at = optional_at<int>(j, "fetch_faster_at");
  c.break_even_bytes_per_s = optional_at<double>(j, "break_even_bytes_per_s");
  c.points.clear();
  for (const json& point : j.at("points")) c.points.push_back(point_from(point));
}

}  // namespace dachlast
