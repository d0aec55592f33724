#pragma once

#include <filesystem>
#include <optional>
#include <string_view>

namespace dachlast {

/// A shared object of this program's, by the name of its file: in $DACHLAST_LIB_DIR, else where the build and the installation
/// put it beside the program. Empty where there is none.
std::optional<std::filesystem::path> program_library(std::string_view name);

}  // namespace dachlast
