#pragma once

#include "core/planner/engine_profile.h"

namespace dachlast {

/// What the towers made of the largest batch of pictures, held from the forward pass of a trial run of `n_tokens` to the end of its
/// sampling: n_tokens · d_model in 16-bit activations. Nothing for models without towers and engines that keep none.
/// Source   vllm-project/vllm:vllm/v1/worker/gpu_model_runner.py (profile_run: encoder_cache)
double kept_pictures(const ModelSpec& model, const EngineProfile& engine, double n_tokens);

}  // namespace dachlast
