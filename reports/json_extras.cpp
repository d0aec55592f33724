// What only some runs hold, in the schema of `json_run`: served requests, traffic between the tiers of a KV cache, offload
// against recompute, what-ifs. `core/store/document_extras.cpp` reads them.
#include "core/roofline/speedup.h"
#include "reports/json_parts.h"

namespace dachlast::reports {
namespace {

Json request_json(const ServedRequest& request) {
  Json json;
  json["prompt_tokens"] = request.prompt_tokens;
  json["hit_tokens"] = request.hit_tokens;
  json["preempted"] = request.n_preempted;
  put(json, "ttft_s", request.ttft_s);
  json["itl_s"] = request.itl_s;
  return json;
}

Json kv_json(const KvUsage& kv) {
  Json json;
  json["blocks"] = kv.n_blocks;
  json["block_size_tokens"] = kv.block_size;
  put(json, "block_bytes", kv.block_bytes);
  put(json, "mean_block_use", kv.mean_block_use);
  put(json, "mean_token_use", kv.mean_token_use);
  json["peak_blocks"] = kv.peak_blocks;
  json["held_tokens"] = kv.held_tokens;
  json["waste_tokens"] = {{"reserved", kv.reserved_tokens},
                          {"internal_fragmentation", kv.internal_fragmentation_tokens},
                          {"external_fragmentation", 0}};
  json["saved_tokens"] = kv.saved_tokens;
  json["looked_up_tokens"] = kv.looked_up_tokens;
  json["hit_tokens"] = kv.hit_tokens;
  json["evicted_blocks"] = kv.n_evicted;
  json["copies_on_write"] = kv.n_copied;
  json["dropped_tokens"] = kv.n_dropped_tokens;
  return json;
}

}  // namespace

Json kv_traffic_json(const KvTrafficPerStep& traffic) {
  const KvTraffic& total = traffic.total;
  Json json;
  json["steps"] = traffic.n_steps;
  json["reads"] = total.n_reads;
  json["writes"] = total.n_writes;
  put(json, "read_bytes_per_step", traffic.per_step(total.read_bytes));
  put(json, "written_bytes_per_step", traffic.per_step(total.written_bytes));
  put(json, "waited_s_per_step", traffic.per_step(total.waited_s));
  put(json, "read_s_per_step", traffic.per_step(total.read_s));
  put(json, "write_s_per_step", traffic.per_step(total.write_s));
  put(json, "recomputed_tokens_per_step", traffic.per_step(static_cast<double>(total.n_recomputed_tokens)));
  return json;
}

Json uncached_json(const UncachedComparison& comparison) {
  Json json;
  json["prompt_tokens"] = comparison.prompt_tokens;
  json["repeats"] = comparison.n_repeats;
  json["cached_s"] = comparison.cached_s;
  json["uncached_s"] = comparison.uncached_s;
  const auto speedups = cache_speedups(comparison);
  if (!speedups.empty()) put(json, "total_speedup", speedups.back().total_speedup);
  return json;
}

Json serving_json(const Serving& serving) {
  Json json;
  json["max_sequences"] = serving.max_sequences;
  json["step_tokens"] = serving.step_tokens;
  json["steps"] = serving.n_steps;
  put(json, "seconds", serving.seconds);
  json["kv"] = kv_json(serving.kv);
  json["requests"] = Json::array();
  for (const ServedRequest& request : serving.requests) json["requests"].push_back(request_json(request));
  if (serving.kv_traffic) json["kv_traffic"] = kv_traffic_json(*serving.kv_traffic);
  return json;
}

Json what_if_json(const WhatIfRun& what_if) {
  Json json;
  json["what_if"] = what_if.text;
  json["outputs"] = "not the model's";
  json["points"] = Json::array();
  for (const WhatIfPoint& p : what_if.points) {
    Json point;
    point["phase"] = name_of(p.phase);
    point["context_tokens"] = p.context_tokens;
    point["batch"] = p.batch_size;
    put(point, "as_is_s", p.as_is_s);
    put(point, "what_if_s", p.what_if_s);
    put(point, "kv_as_is_bytes", p.kv_as_is_bytes);
    put(point, "kv_what_if_bytes", p.kv_what_if_bytes);
    json["points"].push_back(std::move(point));
  }
  return json;
}

Json break_even_json(const KvBreakEven& c) {
  Json json;
  json["tier"] = c.tier;
  json["tier_text"] = c.tier_text;
  json["layers"] = c.n_layers;
  json["chunk_tokens"] = c.chunk_tokens;
  put(json, "chunk_bytes", c.chunk_bytes);
  put(json, "transfer_per_layer_s", c.per_layer_s);
  put(json, "transfer_per_chunk_s", c.per_chunk_s);
  put(json, "recompute_flops_per_token", c.flops_per_token);
  put(json, "recompute_flops_per_pair", c.flops_per_pair);
  put(json, "recompute_flops_per_s", c.flops_per_s);
  put(json, "share_of_roofs", c.roof_share);
  json["rate_tokens"] = c.rate_tokens;
  if (c.fetch_faster_at) json["fetch_faster_at_tokens"] = *c.fetch_faster_at;
  if (c.break_even_bytes_per_s) put(json, "break_even_bytes_per_s", *c.break_even_bytes_per_s);
  json["points"] = Json::array();
  for (const KvBreakEvenPoint& p : c.points) {
    Json point;
    point["context_tokens"] = p.context_tokens;
    point["recomputed_tokens"] = p.recomputed_tokens;
    put(point, "kept_s", p.kept_s);
    put(point, "fetch_predicted_s", p.fetch_predicted_s);
    put(point, "fetch_s", p.fetch_s);
    put(point, "recompute_predicted_s", p.recompute_predicted_s);
    put(point, "recompute_s", p.recompute_s);
    json["points"].push_back(std::move(point));
  }
  return json;
}

}  // namespace dachlast::reports
