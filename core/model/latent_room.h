#pragma once

#include <algorithm>
#include <limits>

#include "core/model/model_spec.h"

namespace dachlast {

/// Most new tokens of a sequence that a step's memory for absorbed latent attention has room for; larger steps are rebuilt.
/// From latent · (key + value) / (2 · latent − key − value) new tokens on rebuilding is less work however long the text before
/// them; steps that serve read up to 256 tokens of a prompt beside single tokens of others, for which it is not.
inline int most_absorbed_tokens(const ModelSpec& model) {
  constexpr int kServedTokens = 256;  // BatchRunner's pieces of long prompts
  int most = kServedTokens;
  for (const LayerSpec& layer : model.layers) {
    const auto* a = std::get_if<MlaSpec>(&layer.mixer);
    if (a == nullptr) continue;
    const double head = 1.0 * a->qk_nope_head_dim + a->v_head_dim, saved = 2.0 * a->kv_lora_rank - head;
    if (saved <= 0.0) return std::numeric_limits<int>::max();
    most = std::max(most, static_cast<int>(std::min(1e9, a->kv_lora_rank * head / saved)) + 1);
  }
  return most;
}

/// Whether rebuilding can be less work at all.
inline bool may_rebuild_latents(const ModelSpec& model) {
  const auto latent = [](const LayerSpec& layer) { return std::holds_alternative<MlaSpec>(layer.mixer); };
  return std::ranges::any_of(model.layers, latent) && most_absorbed_tokens(model) < std::numeric_limits<int>::max();
}

}  // namespace dachlast
