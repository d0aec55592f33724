#include <algorithm>
#include <cmath>

#include "core/base/overloaded.h"
#include "core/planner/expert_load.h"
#include "core/planner/step_work.h"

namespace dachlast {
namespace {

double tokens_of(const StepLoad& load) {
  return load.decode_sequences * load.tokens_each + load.prefill_tokens;
}

double most_keys(const AttentionWork& attention) {
  return attention.window > 0.0 ? attention.window : attention.top_k > 0.0 ? attention.top_k : 1e12;
}

double seconds_of(const LinearWork& linear, const StepLoad& load, const DeviceRates& device) {
  GemmCall call = linear.call;
  switch (linear.rows) {
    case LinearWork::Rows::kTokens: call.m = tokens_of(load); break;
    case LinearWork::Rows::kSequences: call.m = rows_with_logits(load); break;
    case LinearWork::Rows::kRebuilt:
      call.m = load.decode_sequences * load.tokens_each + load.prefill_sequences * load.prefill_kv;
      break;
  }
  return call.m > 0.0 ? gemm_seconds(*linear.curve.curve, device, call) : 0.0;
}

double seconds_of(const AttentionWork& attention, const StepLoad& load, const DeviceRates& device) {
  double seconds = 0.0;
  if (load.decode_sequences > 0.0) {
    DecodeCall call = attention.decode_call;
    call.batch = load.decode_sequences;
    call.group *= load.tokens_each;  // all of a sequence's tokens read its cache once
    call.kv_len = std::min(load.decode_kv, most_keys(attention));
    seconds += decode_seconds(*attention.decode.curve, device, call);
  }
  if (load.prefill_sequences > 0.0) {
    PrefillCall call = attention.prefill_call;
    call.batch = load.prefill_sequences;
    call.q_len = load.prefill_tokens / load.prefill_sequences;
    call.kv_len = std::max(load.prefill_kv, call.q_len);
    if (attention.top_k > 0.0) call.window = attention.top_k;
    seconds += prefill_seconds(*attention.prefill.curve, device, call);
  }
  return seconds;
}

double seconds_of(const ExpertsWork& experts, const StepLoad& load, const DeviceRates& device) {
  const double tokens = tokens_of(load) * experts.groups;
  if (!(tokens > 0.0)) return 0.0;
  const ExpertTraffic traffic{
      .tokens = tokens, .n_experts = experts.n_experts, .active = experts.active, .ranks = experts.ranks};
  ExpertsCall call = experts.call;
  call.rows = expert_rows(traffic);
  call.touched = std::min(call.experts, touched_experts(traffic));
  return experts_seconds(*experts.curve.curve, device, call);
}

double seconds_of(const StreamWork& stream, const StepLoad& load, const DeviceRates& device) {
  const double bytes = stream.token_bytes * tokens_of(load) + stream.sequence_bytes * rows_with_logits(load);
  return stream_seconds(*stream.curve.curve, device, bytes) +
         (stream.launches - 1.0) * stream_seconds(*stream.curve.curve, device, 0.0);
}

double seconds_of(const MessageWork& message, const StepLoad& load, const DeviceRates&) {
  return message.times * message_seconds(*message.curve.curve, message.token_bytes * tokens_of(load));
}

}  // namespace

double work_seconds(const OpWork& work, const StepLoad& load, const DeviceRates& device) {
  return std::visit([&](const auto& what) { return seconds_of(what, load, device); }, work);
}

double rows_with_logits(const StepLoad& load) {
  return load.decode_sequences * load.tokens_each + load.finished_prompts;
}

double cache_bytes(const OpWork& work, const StepLoad& load) {
  const auto* attention = std::get_if<AttentionWork>(&work);
  if (attention == nullptr) return 0.0;
  const DecodeCall& call = attention->decode_call;
  const double seen = std::min(load.decode_kv, most_keys(*attention));
  return call.kv_heads * call.row_bytes * (load.decode_sequences * seen + load.prefill_tokens);
}

}  // namespace dachlast
