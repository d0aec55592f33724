#include "core/planner/step_memory.h"

#include <algorithm>

#include "core/base/overloaded.h"

namespace dachlast {
namespace {

constexpr double kActivationBytes = 2;  // 16-bit types

/// Elements a token needs inside the feed-forward of a layer.
double feed_forward_width(const LayerSpec& layer, const ActivationRule& rule, const Layout& layout, int d_model) {
  return std::visit(Overloaded{[&](const MlpSpec& m) { return rule.d_ff_copies * m.d_ff / layout.tensor_parallel; },
                               [&](const MoeSpec& m) {
                                 const bool sliced = layout.experts == ExpertPlacement::kSliced;
                                 const double d_ff = sliced ? 1.0 * m.d_ff / layout.n_expert_ranks() : m.d_ff;
                                 const double n_up = m.gate == Gate::kGated ? 2 : 1;
                                 const double routed = m.n_active * (std::max(n_up * d_ff, 1.0 * d_model) + d_ff);
                                 return std::max(routed, rule.d_ff_copies * m.shared_d_ff / layout.tensor_parallel);
                               },
                               [](const NoFeedForward&) { return 0.0; }},
                    layer.feed_forward);
}

/// Elements a token needs inside the mixer of a layer: what is projected and what comes back.
double mixer_width(const LayerSpec& layer, int tp) {
  return std::visit(
      Overloaded{[&](const AttentionSpec& a) {
                   const double q = 1.0 * a.n_heads * a.head_dim / tp;
                   const double kv = 1.0 * std::max(a.n_kv_heads / tp, 1) * (a.head_dim + a.value_dim());
                   return (a.output_gate ? 2 : 1) * q + kv + 1.0 * a.n_heads * a.value_dim() / tp;
                 },
                 [&](const MlaSpec& a) {
                   return 1.0 * a.n_heads / tp * (2 * a.qk_head_dim() + 2 * a.v_head_dim + a.qk_nope_head_dim) +
                          a.q_lora_rank + a.kv_lora_rank + a.qk_rope_head_dim;
                 },
                 [&](const GatedDeltaNetSpec& d) { return (4.0 * d.key_width() + 4.0 * d.value_width()) / tp; },
                 [&](const Mamba1Spec& m) { return 4.0 * m.d_inner / tp; },
                 [&](const Mamba2Spec& m) { return 4.0 * m.d_inner() / tp; }, [](const LinearMixer&) { return 0.0; },
                 [](const NoMixer&) { return 0.0; }},
      layer.mixer);
}

}  // namespace

double forward_bytes(const ModelSpec& model, const ActivationRule& rule, const Layout& layout, double n_tokens) {
  double widest = 0.0;
  for (const LayerSpec& layer : model.layers)
    widest = std::max(
        {widest, feed_forward_width(layer, rule, layout, model.d_model), mixer_width(layer, layout.tensor_parallel)});
  const double copies = layout.tensor_parallel > 1 ? rule.d_model_copies_tp : rule.d_model_copies;
  return n_tokens * kActivationBytes * (widest + copies * model.d_model);
}

double sampler_bytes(const ModelSpec& model, const EngineProfile& engine, const DeviceSpec& device,
                     const StepLimits& limits) {
  const ActivationRule& rule = engine.activations->value;
  const double rows = std::min(limits.max_num_seqs, limits.max_num_batched_tokens);
  const double sm_rows = std::min<double>(device.n_units.value_or(0), rows);
  const auto workspace = gemm_workspace(engine, device);
  return rows * model.vocab_size * rule.logit_bytes + sm_rows * model.vocab_size * rule.buffer_bytes_per_sm +
         kActivationBytes * model.d_model * (limits.max_num_batched_tokens + 2 * rows) +
         (workspace ? workspace->value : 0.0);
}

}  // namespace dachlast
