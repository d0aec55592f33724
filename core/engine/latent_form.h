#pragma once

#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

/// The form of latent attention in which a step takes fewer FLOP, as the cost functions of its operations count them:
///   absorbed  new tokens · 2 · latent · (key + value) + pairs · 2 · (2 · latent + rotated) a head
///   rebuilt   cached tokens · 2 · latent · (key + value) + pairs · 2 · (key + rotated + value)
/// Decode is absorbed, a prompt from its beginning rebuilt; in between it depends on how many new tokens share what is
/// rebuilt. Sequences that differ are absorbed: rebuilt, each of them would need room for its whole text.
LatentForm cheapest_form(const ModelSpec& model, const Step& step);

inline Step in_cheapest_form(const ModelSpec& model, Step step) {
  step.latent = cheapest_form(model, step);
  return step;
}

/// Whether a step of this model can take either form.
bool has_latent_attention(const ModelSpec& model);

}  // namespace dachlast
