// What only some runs hold: served requests, traffic between the tiers of a KV cache, offload against recompute, what-ifs.
#include <cmath>

#include "core/store/document_fields.h"
#include "core/store/enum_names.h"

namespace dachlast {
namespace {

using nlohmann::json;

KvUsage kv_usage_from(const DocumentFields& fields, const json& j) {
  KvUsage kv;
  kv.n_blocks = fields.count(j, "blocks");
  kv.block_size = fields.count(j, "block_size_tokens");
  kv.block_bytes = fields.number(j, "block_bytes");
  kv.mean_block_use = fields.number(j, "mean_block_use");
  kv.mean_token_use = fields.number(j, "mean_token_use");
  kv.peak_blocks = fields.count(j, "peak_blocks");
  kv.held_tokens = fields.long_count(j, "held_tokens");
  const json waste = j.value("waste_tokens", json::object());
  kv.reserved_tokens = fields.long_count(waste, "reserved");
  kv.internal_fragmentation_tokens = fields.long_count(waste, "internal_fragmentation");
  kv.saved_tokens = fields.long_count(j, "saved_tokens");
  kv.looked_up_tokens = fields.long_count(j, "looked_up_tokens");
  kv.hit_tokens = fields.long_count(j, "hit_tokens");
  kv.n_evicted = fields.long_count(j, "evicted_blocks");
  kv.n_copied = fields.long_count(j, "copies_on_write");
  kv.n_dropped_tokens = fields.long_count(j, "dropped_tokens");
  return kv;
}

KvBreakEvenPoint break_even_point_from(const DocumentFields& fields, const json& j) {
  return {.context_tokens = fields.count(j, "context_tokens"),
          .recomputed_tokens = fields.count(j, "recomputed_tokens"),
          .kept_s = fields.number(j, "kept_s"),
          .fetch_predicted_s = fields.number(j, "fetch_predicted_s"),
          .fetch_s = fields.number(j, "fetch_s"),
          .recompute_predicted_s = fields.number(j, "recompute_predicted_s"),
          .recompute_s = fields.number(j, "recompute_s")};
}

}  // namespace

KvTrafficPerStep kv_traffic_from(const DocumentFields& fields, const json& j) {
  KvTrafficPerStep traffic;
  traffic.n_steps = fields.count(j, "steps");
  const auto total = [&](const char* key) { return fields.number(j, key) * traffic.n_steps; };
  KvTraffic& of = traffic.total;
  of.n_reads = fields.long_count(j, "reads");
  of.n_writes = fields.long_count(j, "writes");
  of.read_bytes = total("read_bytes_per_step");
  of.written_bytes = total("written_bytes_per_step");
  of.waited_s = total("waited_s_per_step");
  of.read_s = total("read_s_per_step");
  of.write_s = total("write_s_per_step");
  of.n_recomputed_tokens = std::llround(total("recomputed_tokens_per_step"));
  return traffic;
}

Serving serving_from(const DocumentFields& fields, const json& j) {
  Serving serving;
  serving.max_sequences = fields.count(j, "max_sequences");
  serving.step_tokens = fields.count(j, "step_tokens");
  serving.n_steps = fields.count(j, "steps");
  serving.seconds = fields.number(j, "seconds");
  serving.kv = kv_usage_from(fields, j.at("kv"));
  for (const json& request : j.at("requests"))
    serving.requests.push_back({fields.count(request, "prompt_tokens"), fields.count(request, "hit_tokens"),
                                fields.count(request, "preempted"), fields.number(request, "ttft_s"),
                                fields.numbers(request, "itl_s")});
  if (j.contains("kv_traffic")) serving.kv_traffic = kv_traffic_from(fields, j.at("kv_traffic"));
  return serving;
}

KvBreakEven break_even_from(const DocumentFields& fields, const json& j) {
  KvBreakEven found;
  found.tier = DocumentFields::text(j, "tier");
  found.tier_text = DocumentFields::text(j, "tier_text");
  found.n_layers = fields.count(j, "layers");
  found.chunk_tokens = fields.count(j, "chunk_tokens");
  found.chunk_bytes = fields.number(j, "chunk_bytes");
  found.per_layer_s = fields.number(j, "transfer_per_layer_s");
  found.per_chunk_s = fields.number(j, "transfer_per_chunk_s");
  found.flops_per_token = fields.number(j, "recompute_flops_per_token");
  found.flops_per_pair = fields.number(j, "recompute_flops_per_pair");
  found.flops_per_s = fields.number(j, "recompute_flops_per_s");
  found.roof_share = fields.number(j, "share_of_roofs");
  found.rate_tokens = fields.count(j, "rate_tokens");
  if (j.contains("fetch_faster_at_tokens")) found.fetch_faster_at = fields.count(j, "fetch_faster_at_tokens");
  if (j.contains("break_even_bytes_per_s")) found.break_even_bytes_per_s = fields.number(j, "break_even_bytes_per_s");
  for (const json& point : j.at("points")) found.points.push_back(break_even_point_from(fields, point));
  return found;
}

WhatIfRun what_if_from(const DocumentFields& fields, const json& j, std::vector<std::string>& skipped) {
  WhatIfRun what_if{.text = DocumentFields::text(j, "what_if"), .points = {}};
  for (const json& one : j.at("points")) {
    const std::string name = DocumentFields::text(one, "phase");
    const auto phase = enum_from_name(name, kAllPhases);
    if (!phase) {
      skipped.push_back(fmt::format("what-if of phase {}", name));
      continue;
    }
    what_if.points.push_back({.phase = *phase,
                              .context_tokens = fields.count(one, "context_tokens"),
                              .batch_size = fields.count(one, "batch"),
                              .as_is_s = fields.number(one, "as_is_s"),
                              .what_if_s = fields.number(one, "what_if_s"),
                              .kv_as_is_bytes = fields.number(one, "kv_as_is_bytes"),
                              .kv_what_if_bytes = fields.number(one, "kv_what_if_bytes")});
  }
  return what_if;
}

}  // namespace dachlast
