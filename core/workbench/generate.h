#pragma once

#include <optional>
#include <stop_token>

#include "core/engine/engine.h"
#include "core/workbench/workbench.h"

namespace dachlast {

/// Engine of a plan for one context and batch.
EngineOptions engine_options(const RunPlan& plan, int context_tokens, int batch_size);

/// Continues the prompt greedily, so that the reader sees the model work. Empty where weights are random or the model
/// has no tokenizer.
std::optional<Generation> generate(const RunPlan& plan, const Weights& weights);

/// Generates the same tokens with the KV cache and by recomputing the whole sequence for each; times every token.
/// Errors   throws `Error` (kUsage) where prompt and generated tokens exceed the model's context.
UncachedComparison compare_uncached(const RunPlan& plan, const Weights& weights, JobObserver& observer,
                                    std::stop_token stop);

}  // namespace dachlast
