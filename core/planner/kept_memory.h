#pragma once

#include "core/planner/engine_profile.h"
#include "core/planner/layout.h"

namespace dachlast {

/// Memory that a trial run of `n_tokens` tokens holds from its forward pass to the end of its sampling.
struct KeptMemory {
  double pictures = 0.0;        // what the towers made of the largest batch of pictures: n_tokens · d_model
  double expert_buffers = 0.0;  // the two buffers all layers of experts share

  double total() const { return pictures + expert_buffers; }
};

/// Expert buffers: n_tokens · n_active · (max(d_ff, d_model) + max(2 · d_ff, d_model)), d_ff of a rank's slice; of the widest layer.
/// Both in 16-bit activations. Nothing for engines whose profile does not say that they keep them.
/// Source   vllm-project/vllm:vllm/model_executor/layers/fused_moe/fused_moe.py (TritonExperts.workspace_shapes),
///          vllm/v1/worker/workspace.py, vllm/v1/worker/gpu_model_runner.py (profile_run: encoder_cache)
KeptMemory kept_memory(const ModelSpec& model, const EngineProfile& engine, const Layout& layout, double n_tokens);

}  // namespace dachlast
