// Records of served requests, KV cache use and process memory.
#include "core/store/record_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

json moment_json(const KvMoment& moment) {
  json sequences = json::array();
  for (const KvSequence& sequence : moment.sequences)
    sequences.push_back({{"request", sequence.request}, {"n_tokens", sequence.n_tokens}, {"blocks", sequence.blocks}});
  return {{"step", moment.step},
          {"time_s", moment.time_s},
          {"n_allocated", moment.n_allocated},
          {"n_cached", moment.n_cached},
          {"held_tokens", moment.held_tokens},
          {"n_evicted", moment.n_evicted},
          {"sequences", std::move(sequences)},
          {"cached", moment.cached}};
}

KvMoment moment_from(const json& j) {
  KvMoment moment;
  j.at("step").get_to(moment.step);
  j.at("time_s").get_to(moment.time_s);
  j.at("n_allocated").get_to(moment.n_allocated);
  j.at("n_cached").get_to(moment.n_cached);
  j.at("held_tokens").get_to(moment.held_tokens);
  j.at("n_evicted").get_to(moment.n_evicted);
  j.at("cached").get_to(moment.cached);
  for (const json& one : j.at("sequences")) {
    KvSequence& sequence = moment.sequences.emplace_back();
    one.at("request").get_to(sequence.request);
    one.at("n_tokens").get_to(sequence.n_tokens);
    one.at("blocks").get_to(sequence.blocks);
  }
  return moment;
}

json kv_json(const KvUsage& kv) {
  json moments = json::array();
  for (const KvMoment& moment : kv.moments) moments.push_back(moment_json(moment));
  return {{"n_blocks", kv.n_blocks},
          {"block_size", kv.block_size},
          {"block_bytes", kv.block_bytes},
          {"mean_block_use", kv.mean_block_use},
          {"mean_token_use", kv.mean_token_use},
          {"peak_blocks", kv.peak_blocks},
          {"held_tokens", kv.held_tokens},
          {"reserved_tokens", kv.reserved_tokens},
          {"internal_fragmentation_tokens", kv.internal_fragmentation_tokens},
          {"saved_tokens", kv.saved_tokens},
          {"looked_up_tokens", kv.looked_up_tokens},
          {"hit_tokens", kv.hit_tokens},
          {"n_evicted", kv.n_evicted},
          {"n_copied", kv.n_copied},
          {"n_dropped_tokens", kv.n_dropped_tokens},
          {"moments", std::move(moments)}};
}

KvUsage kv_from(const json& j) {
  KvUsage kv;
  j.at("n_blocks").get_to(kv.n_blocks);
  j.at("block_size").get_to(kv.block_size);
  j.at("block_bytes").get_to(kv.block_bytes);
  j.at("mean_block_use").get_to(kv.mean_block_use);
  j.at("mean_token_use").get_to(kv.mean_token_use);
  j.at("peak_blocks").get_to(kv.peak_blocks);
  j.at("held_tokens").get_to(kv.held_tokens);
  j.at("reserved_tokens").get_to(kv.reserved_tokens);
  j.at("internal_fragmentation_tokens").get_to(kv.internal_fragmentation_tokens);
  j.at("saved_tokens").get_to(kv.saved_tokens);
  j.at("looked_up_tokens").get_to(kv.looked_up_tokens);
  j.at("hit_tokens").get_to(kv.hit_tokens);
  j.at("n_evicted").get_to(kv.n_evicted);
  j.at("n_copied").get_to(kv.n_copied);
  j.at("n_dropped_tokens").get_to(kv.n_dropped_tokens);
  // Files written before moments were recorded have none.
  if (const auto moments = j.find("moments"); moments != j.end())
    for (const json& moment : *moments) kv.moments.push_back(moment_from(moment));
  return kv;
}

json request_json(const ServedRequest& request) {
  return {{"prompt_tokens", request.prompt_tokens},
          {"hit_tokens", request.hit_tokens},
          {"n_preempted", request.n_preempted},
          {"ttft_s", request.ttft_s},
          {"itl_s", request.itl_s}};
}

ServedRequest request_from(const json& j) {
  ServedRequest request;
  j.at("prompt_tokens").get_to(request.prompt_tokens);
  j.at("hit_tokens").get_to(request.hit_tokens);
  j.at("n_preempted").get_to(request.n_preempted);
  j.at("ttft_s").get_to(request.ttft_s);
  j.at("itl_s").get_to(request.itl_s);
  return request;
}

}  // namespace

void to_json(json& j, const Serving& serving) {
  j = {{"max_sequences", serving.max_sequences},
       {"step_tokens", serving.step_tokens},
       {"n_steps", serving.n_steps},
       {"seconds", serving.seconds},
       {"kv", kv_json(serving.kv)},
       {"requests", json::array()}};
  for (const ServedRequest& request : serving.requests) j["requests"].push_back(request_json(request));
  if (serving.kv_traffic) j["kv_traffic"] = *serving.kv_traffic;
}

void from_json(const json& j, Serving& serving) {
  j.at("max_sequences").get_to(serving.max_sequences);
  j.at("step_tokens").get_to(serving.step_tokens);
  j.at("n_steps").get_to(serving.n_steps);
  j.at("seconds").get_to(serving.seconds);
  serving.kv = kv_from(j.at("kv"));
  serving.requests.clear();
  for (const json& request : j.at("requests")) serving.requests.push_back(request_from(request));
  if (const auto traffic = j.find("kv_traffic"); traffic != j.end())
    serving.kv_traffic = traffic->get<KvTrafficPerStep>();
}

void to_json(json& j, const MemoryReading& memory) {
  j = {{"modelled_bytes", memory.modelled_bytes},
       {"program_bytes", memory.program_bytes},
       {"resident_bytes", memory.resident_bytes}};
}

void from_json(const json& j, MemoryReading& memory) {
  j.at("modelled_bytes").get_to(memory.modelled_bytes);
  j.at("program_bytes").get_to(memory.program_bytes);
  j.at("resident_bytes").get_to(memory.resident_bytes);
}

}  // namespace dachlast
