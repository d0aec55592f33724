#pragma once

#include "core/memory/liveness.h"
#include "core/planner/engine_profile.h"
#include "core/planner/layout.h"

namespace dachlast {

/// Sizes of the step an engine reserves memory for.
struct StepLimits {
  int max_num_seqs = 1;
  int max_num_batched_tokens = 1;
};

/// Peak of activations of one forward pass over `n_tokens` on one rank, by what lives at once; see `live_peak`.
LivePeak forward_peak(const ModelSpec& model, const BufferRules& rules, const Layout& layout, double n_tokens);

/// Peak of sampling for `limits`, whole vocabulary on every rank: logits, what the sampler makes of them, and the hidden states they
/// come from. For engines that release nothing it is the memory of logits and chosen tokens.
double sampler_bytes(const ModelSpec& model, const EngineProfile& engine, const DeviceSpec& device,
                     const StepLimits& limits);

/// What a step takes beyond `forward`: scratch of the GEMM library, which stays, and as much of sampling, with what the forward
/// pass leaves behind, as is over its peak, because the two are never at their peak together. Engines that release nothing hold both.
double workspace_bytes(const ModelSpec& model, const EngineProfile& engine, const DeviceSpec& device,
                       const StepLimits& limits, const LivePeak& forward);

}  // namespace dachlast
