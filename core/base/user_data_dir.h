#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace dachlast {

/// The user's folder for what the program keeps: `$XDG_DATA_HOME/dachlast`, or `~/.local/share/dachlast` where the
/// variable is unset or relative. It need not exist.
/// Empty where neither XDG_DATA_HOME nor HOME names a folder.
/// Source   XDG Base Directory Specification 0.8.
std::optional<std::filesystem::path> find_user_data_dir();

/// The same folder, for writing into.
/// Errors   throws `Error` (kFailure) with `subject` where there is none.
std::filesystem::path user_data_dir(const std::string& subject);

/// Copies a file into the user's folder, whole or not at all; folders on the way are made.
/// Errors   throws `Error` (kFailure) naming `to` where it cannot be written.
void store_copy(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace dachlast
