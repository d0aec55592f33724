#pragma once

#include "core/engine/engine.h"

namespace dachlast {

/// Errors   throws `Error` for whatever is wrong with the options; past it they are consistent with the model.
void validate(const ModelSpec& model, const EngineOptions& options);

}  // namespace dachlast
