#pragma once

#include "core/planner/engine_profile.h"
#include "core/planner/layout.h"

namespace dachlast {

/// Sizes of the step an engine reserves memory for.
struct StepLimits {
  int max_num_seqs = 1;
  int max_num_batched_tokens = 1;
};

/// Peak of activations of one forward pass over `n_tokens`, by what lives at once in the widest layer of the model, in bytes of
/// 16-bit activations: in the feed-forward gate, up and product (an expert's for each of the token's experts, with the
/// experts' outputs), in a mixer q, k, v and what it returns; and the engine's copies of the hidden state beside them.
/// Source   the engine's `activations` fact; vllm-project/vllm:vllm/model_executor/layers/fused_moe/fused_moe.py
///          (intermediate_cache1 and 3 share one buffer)
double forward_bytes(const ModelSpec& model, const ActivationRule& rule, const Layout& layout, double n_tokens);

/// Peak of sampling for `limits`: logits and what the sampler makes of them, for the whole vocabulary on every rank.
double sampler_bytes(const ModelSpec& model, const EngineProfile& engine, const DeviceSpec& device,
                     const StepLimits& limits);

}  // namespace dachlast
