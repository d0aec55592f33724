// Records of what passes between the tiers of a KV cache, and of offload against recompute, and of what-ifs.
#include <fmt/core.h>

#include "core/store/enum_names.h"
#include "core/store/json_fields.h"
#include "core/store/record_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

/// All but the phase, which is a name.
constexpr auto kWhatIfPoint = [](auto& fields, auto& point) {
  fields("context_tokens", point.context_tokens);
  fields("batch_size", point.batch_size);
  fields("as_is_s", point.as_is_s);
  fields("what_if_s", point.what_if_s);
  fields("kv_as_is_bytes", point.kv_as_is_bytes);
  fields("kv_what_if_bytes", point.kv_what_if_bytes);
};

constexpr auto kTraffic = [](auto& fields, auto& traffic) {
  auto& total = traffic.total;
  fields("n_steps", traffic.n_steps);
  fields("n_reads", total.n_reads);
  fields("n_writes", total.n_writes);
  fields("read_bytes", total.read_bytes);
  fields("written_bytes", total.written_bytes);
  fields("read_s", total.read_s);
  fields("write_s", total.write_s);
  fields("waited_s", total.waited_s);
  fields("n_recomputed_tokens", total.n_recomputed_tokens);
};

constexpr auto kBreakEvenPoint = [](auto& fields, auto& point) {
  fields("context_tokens", point.context_tokens);
  fields("recomputed_tokens", point.recomputed_tokens);
  fields("kept_s", point.kept_s);
  fields("fetch_predicted_s", point.fetch_predicted_s);
  fields("fetch_s", point.fetch_s);
  fields("recompute_predicted_s", point.recompute_predicted_s);
  fields("recompute_s", point.recompute_s);
};

constexpr auto kBreakEven = [](auto& fields, auto& comparison) {
  fields("tier", comparison.tier);
  fields("tier_text", comparison.tier_text);
  fields("n_layers", comparison.n_layers);
  fields("chunk_tokens", comparison.chunk_tokens);
  fields("chunk_bytes", comparison.chunk_bytes);
  fields("per_layer_s", comparison.per_layer_s);
  fields("per_chunk_s", comparison.per_chunk_s);
  fields("flops_per_token", comparison.flops_per_token);
  fields("flops_per_pair", comparison.flops_per_pair);
  fields("flops_per_s", comparison.flops_per_s);
  fields("roof_share", comparison.roof_share);
  fields("rate_tokens", comparison.rate_tokens);
  fields.optional("fetch_faster_at", comparison.fetch_faster_at);
  fields.optional("break_even_bytes_per_s", comparison.break_even_bytes_per_s);
  fields.list("points", comparison.points, kBreakEvenPoint);
};

}  // namespace

void to_json(json& j, const WhatIfRun& what_if) {
  j = {{"text", what_if.text}, {"points", json::array()}};
  for (const WhatIfPoint& point : what_if.points) {
    json& one = j["points"].emplace_back();
    write_fields(one, point, kWhatIfPoint);
    one["phase"] = name_of(point.phase);
  }
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
    WhatIfPoint& point = what_if.points.emplace_back();
    read_fields(one, point, kWhatIfPoint);
    point.phase = *phase;
  }
  return what_if;
}

void to_json(json& j, const KvTrafficPerStep& traffic) {
  write_fields(j, traffic, kTraffic);
}
void from_json(const json& j, KvTrafficPerStep& traffic) {
  read_fields(j, traffic, kTraffic);
}

void to_json(json& j, const KvBreakEven& comparison) {
  write_fields(j, comparison, kBreakEven);
}
void from_json(const json& j, KvBreakEven& comparison) {
  read_fields(j, comparison, kBreakEven);
}

}  // namespace dachlast
