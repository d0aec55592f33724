#pragma once

#include "core/engine/engine.h"
#include "core/model/model_spec.h"
#include "core/model/op_list.h"

namespace dachlast {

/// The form of latent attention in which a step takes fewer FLOP, as the cost functions of its operations count them:
///   absorbed  new tokens · 2 · latent · (key + value) + pairs · 2 · (2 · latent + rotated) a head
///   rebuilt   cached tokens · 2 · latent · (key + value) + pairs · 2 · (key + rotated + value)
/// Decode is absorbed, a prompt from its beginning rebuilt; in between it depends on how many new tokens share what is
/// rebuilt. Sequences that differ are absorbed: beside one token of a long text a prompt would rebuild the text too.
LatentForm cheapest_form(const ModelSpec& model, const Step& step);

/// Whether an engine has room for rebuilt K and V: not where it computes tokens anew, whose text would need it a second
/// time, nor on a device.
bool may_rebuild(const ModelSpec& model, const EngineOptions& options);

/// New tokens of a sequence that an absorbed step has room for, see `most_absorbed_tokens`; any where nothing is rebuilt.
int absorbed_room(const ModelSpec& model, const EngineOptions& options);

/// The step in its cheapest form, or rebuilt where it is larger than the room of the other.
Step formed(const ModelSpec& model, const EngineOptions& options, Step step);

/// Whether a step of this model can take either form.
bool has_latent_attention(const ModelSpec& model);

}  // namespace dachlast
