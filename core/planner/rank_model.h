#pragma once

#include "core/model/model_spec.h"
#include "core/planner/layout.h"

namespace dachlast {

/// The model as one rank of its layers computes it: heads, channels and d_ff cut by tensor parallelism, the width of experts by
/// all ranks that share them where they are sliced. d_model, latents, routers and indexers are whole on every rank, and so are
/// KV heads of which there are fewer than ranks. All layers are there, whatever the stage.
/// Source   vllm-project/vllm:vllm/model_executor/layers/linear.py (QKVParallelLinear, MergedColumnParallelLinear)
ModelSpec rank_model(const ModelSpec& model, const Layout& layout);

}  // namespace dachlast
