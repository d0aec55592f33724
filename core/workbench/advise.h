#pragma once

#include <string>
#include <vector>

#include "core/planner/advise.h"
#include "core/roofline/run.h"
#include "core/workbench/scenario.h"

namespace dachlast {

/// What advice is asked for: a scenario as `plan` takes it, and how its context divides into prompt and answer.
struct AdviceRequest {
  ScenarioRequest scenario;
  int context_tokens = 0;  // 0: as `plan` has it
  int answer_tokens = 0;   // 0: an eighth of the context
  int batch_size = 1;
};

struct ScenarioAdvice {
  AdviceReport report;
  ScenarioRequest request;
  std::vector<Remark> warnings;
  std::vector<Remark> assumptions;
};

/// The scenario that a configuration of the levers names; its context and batch are asked for apart.
ScenarioRequest scenario_request(const Configuration& configuration);

/// Share of the context an answer takes where nobody says.
inline constexpr int kAnswerShare = 8;

/// Errors   as `find_scenario`; also kUsage without a device, and where the answer leaves no room for a prompt.
ScenarioAdvice advise_scenario(const AdviceRequest& request);

/// Advice for a measured run: its own times are the baseline, what predictions miss of them is carried over to every
/// lever.
/// Errors   throws `Error`: kDevice where the run was measured on another computer; kInput where its model is not here
///          or it measured neither phase.
ScenarioAdvice advise_run(const Run& run);

}  // namespace dachlast
