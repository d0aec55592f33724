#pragma once

#include <stop_token>
#include <string>

#include "core/model/weights.h"
#include "core/workbench/workbench.h"

namespace dachlast {

struct ServedRun {
  Serving serving;
  std::string kv_tier;  // `Engine::kv_tier_description`
};

/// Serves the requests of a plan by continuous batching. Prompts are as many tokens long as `ServingRequest` says, spread
/// over the vocabulary; their first `shared_tokens` are the same for all.
/// Errors   throws `Error` (kDoesNotFit) where one sequence alone finds no room in the blocks given.
ServedRun serve(const RunPlan& plan, const Weights& weights, JobObserver& observer, const std::stop_token& stop);

}  // namespace dachlast
