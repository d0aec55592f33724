#pragma once

#include <string>

#include "app/cli/command.h"
#include "core/roofline/run.h"

namespace dachlast::cli {

/// Opens a run file and says on stderr what of it could not be read, and that a run is partial.
Run open_and_note(const std::string& file, const CommonOptions& common);

}  // namespace dachlast::cli
