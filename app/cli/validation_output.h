#pragma once

#include <cstddef>
#include <string>

#include "app/cli/command.h"
#include "core/planner/validation.h"

namespace dachlast::cli {

/// "dachlast.validate/1": components, the `n_worst` figures missed by most, wrong verdicts, every skipped figure.
std::string json_validation(const Validation& validation, std::size_t n_worst);

/// A validation in the format asked for; CSV is the table of components.
std::string render_validation(const Validation& validation, std::size_t n_worst, const CommonOptions& common);

}  // namespace dachlast::cli
