#pragma once

#include <string>

#include "core/workbench/run_request.h"

namespace dachlast::cli {

/// "dachlast.run_plan/1": what `run --dry-run` found.
std::string json_plan(const RunPlan& plan);

}  // namespace dachlast::cli
