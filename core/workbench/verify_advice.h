#pragma once

#include <stop_token>

#include "core/workbench/advise.h"
#include "core/workbench/workbench.h"

namespace dachlast {

/// Runs the configuration of the advice and, in turn with it, every lever that the engine can pull on this computer;
/// sets what was measured beside what was predicted. Prompts and answers are measured by one prefill and one decode
/// step at the middle of the answer, as predictions are made.
/// Errors   throws `Error`: kUsage where the advice is not for this computer; kDevice, kDoesNotFit as the engine;
///          kInterrupted when stopped.
void verify_advice(ScenarioAdvice& advice, int n_rounds, JobObserver& observer, const std::stop_token& stop);

/// Rounds where nobody says: the fewest that have a middle.
inline constexpr int kVerifyRounds = 3;

}  // namespace dachlast
