#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/collect/nvtx/spool.h"

namespace dachlast {

/// One thread's spool in memory. Keys tell processes apart whose numbers were used twice.
struct SpoolFile {
  std::int64_t process_key = 0;
  std::int64_t parent_key = 0;  // 0: not forked from an annotated process
  std::int64_t pid = 0;
  std::int64_t parent_pid = 0;
  std::int64_t tid = 0;     // 0: what the GPUs of the process did
  std::uint32_t image = 0;  // the same for all files of one program in one process
  std::int64_t n_dropped = 0;
  std::string program;
  std::uint64_t first_ticks = 0;
  std::int64_t first_ns = 0;
  double ns_per_tick = 1.0;
  std::vector<char> records;

  std::int64_t ns_of(std::uint64_t ticks) const;
};

/// Reads a spool as far as it is whole. Its clock is calibrated against this moment, so it must be of this computer.
/// Errors   none; empty where the file is no spool of this version.
std::optional<SpoolFile> read_spool_file(const std::filesystem::path& file);

/// Calls `take` with kind and bytes of every whole record, in order; ends at the first damaged one.
void for_each_record(const SpoolFile& file, const std::function<void(spool::Kind, std::string_view)>& take);

/// The event that a record holds, short ones written out; its kind is then kPush or kPop.
struct SpoolEvent {
  spool::Kind kind = spool::Kind::kEnd;
  spool::Event event = {};
};
std::optional<SpoolEvent> spool_event(spool::Kind kind, std::string_view record);

/// The parts of a record that holds a text.
struct SpoolText {
  std::uint64_t id = 0;
  std::string_view text;
  std::string_view entries;  // of a schema: spool::SchemaEntry each
};
std::optional<SpoolText> spool_text(std::string_view record);

}  // namespace dachlast
