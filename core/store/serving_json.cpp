// Records of served requests, KV cache use and process memory.
#include "core/store/json_fields.h"
#include "core/store/record_json.h"

namespace dachlast {
namespace {

using nlohmann::json;

constexpr auto kSequence = [](auto& fields, auto& sequence) {
  fields("request", sequence.request);
  fields("n_tokens", sequence.n_tokens);
  fields("blocks", sequence.blocks);
};

constexpr auto kMoment = [](auto& fields, auto& moment) {
  fields("step", moment.step);
  fields("time_s", moment.time_s);
  fields("n_allocated", moment.n_allocated);
  fields("n_cached", moment.n_cached);
  fields("held_tokens", moment.held_tokens);
  fields("n_evicted", moment.n_evicted);
  fields("cached", moment.cached);
  fields.list("sequences", moment.sequences, kSequence);
};

constexpr auto kKvUsage = [](auto& fields, auto& kv) {
  fields("n_blocks", kv.n_blocks);
  fields("block_size", kv.block_size);
  fields("block_bytes", kv.block_bytes);
  fields("mean_block_use", kv.mean_block_use);
  fields("mean_token_use", kv.mean_token_use);
  fields("peak_blocks", kv.peak_blocks);
  fields("held_tokens", kv.held_tokens);
  fields("reserved_tokens", kv.reserved_tokens);
  fields("internal_fragmentation_tokens", kv.internal_fragmentation_tokens);
  fields("saved_tokens", kv.saved_tokens);
  fields("looked_up_tokens", kv.looked_up_tokens);
  fields("hit_tokens", kv.hit_tokens);
  fields("n_evicted", kv.n_evicted);
  fields("n_copied", kv.n_copied);
  fields("n_dropped_tokens", kv.n_dropped_tokens);
  fields.late_list("moments", kv.moments, kMoment);
};

constexpr auto kRequest = [](auto& fields, auto& request) {
  fields("prompt_tokens", request.prompt_tokens);
  fields("hit_tokens", request.hit_tokens);
  fields("n_preempted", request.n_preempted);
  fields("ttft_s", request.ttft_s);
  fields("itl_s", request.itl_s);
};

constexpr auto kServing = [](auto& fields, auto& serving) {
  fields("max_sequences", serving.max_sequences);
  fields("step_tokens", serving.step_tokens);
  fields("n_steps", serving.n_steps);
  fields("seconds", serving.seconds);
  fields.record("kv", serving.kv, kKvUsage);
  fields.list("requests", serving.requests, kRequest);
  fields.optional("kv_traffic", serving.kv_traffic);
};

constexpr auto kMemoryReading = [](auto& fields, auto& memory) {
  fields("modelled_bytes", memory.modelled_bytes);
  fields("program_bytes", memory.program_bytes);
  fields("resident_bytes", memory.resident_bytes);
};

}  // namespace

void to_json(json& j, const Serving& serving) {
  write_fields(j, serving, kServing);
}
void from_json(const json& j, Serving& serving) {
  read_fields(j, serving, kServing);
}

void to_json(json& j, const MemoryReading& memory) {
  write_fields(j, memory, kMemoryReading);
}
void from_json(const json& j, MemoryReading& memory) {
  read_fields(j, memory, kMemoryReading);
}

}  // namespace dachlast
