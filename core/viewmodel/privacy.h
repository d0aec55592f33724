#pragma once

#include <string>
#include <string_view>

#include "core/roofline/run.h"

namespace dachlast::viewmodel {

/// A command line whose paths have lost their folders: "--model /home/a/llama" becomes "--model llama".
std::string without_folders(std::string_view command);

/// The run as it may leave the house: no folder names in command, model and weights (UX.md §4, Privacy).
Run without_paths(const Run& run);

}  // namespace dachlast::viewmodel
