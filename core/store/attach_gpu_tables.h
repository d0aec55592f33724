#pragma once

#include <filesystem>

#include "core/store/database.h"
#include "core/trace/attach_record.h"

namespace dachlast {

/// The schema from which on attached programs have tables of GPU work.
inline constexpr int kFirstVersionWithGpus = 7;

/// The schema from which on they have samples of whole GPUs.
inline constexpr int kFirstVersionWithSamples = 10;

void insert_gpu_part(const Database& db, const AttachedGpuPart& gpu);

/// Reads what the GPUs did into a record that has its processes, threads and names.
/// Errors   throws `Error` (kInput) naming `file` where a row names what is not there.
void read_gpu_part(const std::filesystem::path& file, const Database& db, AttachRecord& record);

}  // namespace dachlast
