#pragma once

#include <filesystem>

#include "core/store/run_file.h"
#include "core/trace/attach_record.h"

namespace dachlast {

/// Writes what an attached program annotated into a file of its own. It appears under its name once it is whole.
/// Errors   throws `Error`: kUsage where the file exists and `if_exists` refuses, kFailure where it cannot be written.
void write_attach_file(const std::filesystem::path& file, const AttachRecord& record, IfExists if_exists);

/// Whether a file of this program holds an attached program rather than a run; false for anything else.
bool is_attach_file(const std::filesystem::path& file);

/// Errors   throws `Error` (kInput) where the file is missing, damaged, or holds no attached program.
AttachRecord read_attach_file(const std::filesystem::path& file);

}  // namespace dachlast
