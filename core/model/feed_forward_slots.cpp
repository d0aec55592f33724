#include "core/model/slot_list.h"

namespace dachlast {
namespace {

std::int64_t up_rows(Gate gate, int d_ff) {
  return (gate == Gate::kGated ? 2 : 1) * std::int64_t{d_ff};
}

void append(const MlpSpec& mlp, SlotList& list) {
  const int d_model = list.model().d_model;
  list.matrix(WeightRole::kMlpUp, up_rows(mlp.gate, mlp.d_ff), d_model, {WeightClass::kLinear, Shard::kRows},
              bias_if(mlp.bias));
  list.matrix(WeightRole::kMlpDown, d_model, mlp.d_ff, {WeightClass::kLinear, Shard::kColumns}, bias_if(mlp.bias));
}

void append_router(const MoeSpec& moe, SlotList& list) {
  const Treatment router{WeightClass::kRouter, Shard::kReplicated};
  list.matrix(WeightRole::kRouter, moe.n_experts, list.model().d_model, router, bias_if(moe.router_bias));
  if (moe.correction_bias) list.bias(WeightRole::kRouter, moe.n_experts);
  if (!moe.branch_norms) return;
  list.rms_norm(WeightRole::kRouter, list.model().d_model);  // what the router reads is scaled element by element
  list.bias(WeightRole::kRouter, moe.n_experts);             // a factor per expert
}

void append_experts(const MoeSpec& moe, SlotList& list) {
  const int d_model = list.model().d_model;
  const Treatment up{WeightClass::kExpert, Shard::kExpertRows, moe.n_experts, moe.n_experts};
  const Treatment down{WeightClass::kExpert, Shard::kExpertColumns, moe.n_experts, moe.n_experts};
  list.matrix(WeightRole::kExpertUp, up_rows(moe.gate, moe.d_ff), d_model, up, bias_if(moe.bias));
  list.matrix(WeightRole::kExpertDown, d_model, moe.d_ff, down, bias_if(moe.bias));
}

void append_shared_expert(const MoeSpec& moe, SlotList& list) {
  const int d_model = list.model().d_model;
  list.matrix(WeightRole::kSharedUp, up_rows(moe.gate, moe.shared_d_ff), d_model,
              {WeightClass::kSharedExpert, Shard::kRows});
  list.matrix(WeightRole::kSharedDown, d_model, moe.shared_d_ff, {WeightClass::kSharedExpert, Shard::kColumns});
  if (moe.shared_gate) list.matrix(WeightRole::kSharedGate, 1, d_model, {WeightClass::kRouter});
}

void append(const MoeSpec& moe, SlotList& list) {
  append_router(moe, list);
  append_experts(moe, list);
  if (moe.shared_d_ff > 0) append_shared_expert(moe, list);
  if (!moe.branch_norms) return;
  for (const WeightRole role : {WeightRole::kPostSharedNorm, WeightRole::kPreExpertNorm, WeightRole::kPostExpertNorm})
    list.norm(role, list.model().d_model);
}

void append(const NoFeedForward&, SlotList&) {}

}  // namespace

void append_feed_forward(const FeedForward& feed_forward, SlotList& list) {
  std::visit([&](const auto& spec) { append(spec, list); }, feed_forward);
}

}  // namespace dachlast
