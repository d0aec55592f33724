#pragma once

#include <filesystem>
#include <string>

#include "app/cli/command.h"
#include "core/workbench/project.h"

namespace dachlast::cli {

/// Opens a project; what of it this version does not know is told on stderr unless quiet.
/// Errors   as `read_project`.
Project open_project_and_note(const std::filesystem::path& file, const CommonOptions& common);

/// Runs and scenarios of a project in the format asked for; JSON is the project itself, its paths absolute. What cannot be
/// opened is told on stderr.
std::string render_project(const Project& project, const CommonOptions& common);

}  // namespace dachlast::cli
