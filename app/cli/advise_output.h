#pragma once

#include <string>

#include "app/cli/command.h"
#include "core/workbench/advise.h"

namespace dachlast::cli {

std::string render_advice(const ScenarioAdvice& advice, const CommonOptions& common);

}  // namespace dachlast::cli
