#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "app/cli/command.h"

// Man pages and shell completions, generated from the same definition as --help.
namespace dachlast::cli {

/// dachlast(1): the program, its verbs, files, environment, exit codes. troff.
std::string program_man_page(std::span<const CommandRow> rows);
/// dachlast-VERB(1). troff.
std::string command_man_page(const CLI::App& app, const CommandRow& row);

std::string bash_completion(const CLI::App& program);
std::string zsh_completion(const CLI::App& program);
std::string fish_completion(const CLI::App& program);

}  // namespace dachlast::cli
