#include "core/engine/latent_form.h"

#include <algorithm>

#include "core/engine/step_memory.h"
#include "core/model/latent_room.h"
#include "kernels/latent.h"
#include "kernels/linear.h"
#include "kernels/planned.h"

namespace dachlast {
namespace {

double absorbed_flops(const MlaSpec& a, const WideAttentionShape& attention, const Step& step) {
  const auto n_tokens = static_cast<int>(step.n_tokens());
  const HeadLinearShape keys{n_tokens, a.n_heads, a.kv_lora_rank, a.qk_nope_head_dim, DType::kF32};
  const HeadLinearShape values{n_tokens, a.n_heads, a.v_head_dim, a.kv_lora_rank, DType::kF32};
  return (kernels::head_linear_cost(keys).flops + kernels::head_linear_cost(values).flops +
          kernels::wide_attention_cost(attention).flops)
      .value;
}

double rebuilt_flops(const MlaSpec& a, WideAttentionShape attention, const Step& step) {
  attention.score_dim = a.qk_head_dim();
  attention.value_dim = a.v_head_dim;
  const LinearShape raise{static_cast<int>(step.n_cached()), a.n_heads * (a.qk_nope_head_dim + a.v_head_dim),
                          a.kv_lora_rank, DType::kF32};
  return (kernels::linear_cost(raise).flops + kernels::wide_attention_cost(attention).flops).value;
}

}  // namespace

bool has_latent_attention(const ModelSpec& model) {
  return std::ranges::any_of(model.layers,
                             [](const LayerSpec& layer) { return std::holds_alternative<MlaSpec>(layer.mixer); });
}

LatentForm cheapest_form(const ModelSpec& model, const Step& step) {
  if (!step.sequences.empty() || !has_latent_attention(model)) return LatentForm::kAbsorbed;
  const LayerSpec& layer = *std::ranges::find_if(
      model.layers, [](const LayerSpec& one) { return std::holds_alternative<MlaSpec>(one.mixer); });
  const MlaSpec& a = std::get<MlaSpec>(layer.mixer);
  const WideAttentionShape attention{.batch_size = step.batch_size,
                                     .q_len = step.q_len,
                                     .kv_len = step.kv_len,
                                     .n_heads = a.n_heads,
                                     .score_dim = a.latent_width(),
                                     .value_dim = a.kv_lora_rank,
                                     .row_elements = a.latent_width(),
                                     .window = a.window > 0 ? a.window + a.n_sink_tokens : 0,
                                     .chunk = 0,
                                     .top_k = 0,
                                     .kv = {}};
  return rebuilt_flops(a, attention, step) < absorbed_flops(a, attention, step) ? LatentForm::kRebuilt
                                                                                : LatentForm::kAbsorbed;
}

bool may_rebuild(const ModelSpec& model, const EngineOptions& options) {
  return options.kv.recompute_keep == 0 && options.device == nullptr && may_rebuild_latents(model);
}

int absorbed_room(const ModelSpec& model, const EngineOptions& options) {
  const int largest = largest_step_tokens(options);
  return may_rebuild(model, options) ? std::min(largest, most_absorbed_tokens(model)) : largest;
}

Step formed(const ModelSpec& model, const EngineOptions& options, Step step) {
  step.latent = LatentForm::kAbsorbed;
  if (!may_rebuild(model, options)) return step;
  const bool fits = step.n_tokens() <= std::int64_t{options.batch_size} * absorbed_room(model, options);
  step.latent = fits ? cheapest_form(model, step) : LatentForm::kRebuilt;
  return step;
}

}  // namespace dachlast
