#pragma once

#include <filesystem>

#include "core/trace/attach_record.h"

namespace dachlast {

/// Reads every spool of a folder into one record: times in nanoseconds, pushes paired with their pops, starts with their
/// stops across threads, numbers replaced by texts. What a process does not name itself is looked up in the one it was forked
/// from; what GPUs did assigned to the threads that asked for it. Files that are cut short, or still being written, are read as far as they are whole.
/// Errors   none for the content of a spool: a damaged one ends at its damage. Throws `Error` (kFailure) where the folder
///          cannot be read.
AttachRecord read_spools(const std::filesystem::path& folder);

}  // namespace dachlast
