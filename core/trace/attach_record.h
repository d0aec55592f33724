#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/trace/attached_gpu.h"

namespace dachlast {

/// One process of an attached program.
struct AttachedProcess {
  std::int64_t pid = 0;
  std::int64_t parent_pid = 0;
  std::string program;  // its command line, cut
};

/// One thread that annotated something.
struct AttachedThread {
  std::int32_t process = 0;  // index into the processes
  std::int64_t tid = 0;
  std::string name;            // as the program named it; empty: it did not
  std::int64_t n_dropped = 0;  // events that found no room
};

/// How a range came to its end.
enum class RangeEnd : std::uint8_t {
  kPopped,   // by its own thread, nested in the ones around it
  kStopped,  // by number, from any thread
  kMark,     // a moment: it has no length
  kCut       // never: the program ended first, and the range ends with the last moment of its thread
};

inline constexpr RangeEnd kAllRangeEnds[] = {RangeEnd::kPopped, RangeEnd::kStopped, RangeEnd::kMark, RangeEnd::kCut};

constexpr std::string_view name_of(RangeEnd end) {
  constexpr std::string_view names[] = {"popped", "stopped", "mark", "cut"};
  return names[static_cast<int>(end)];
}

/// One annotated range. Times are CLOCK_MONOTONIC nanoseconds of the computer it ran on.
struct AttachedRange {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int32_t thread = 0;    // index into the threads
  std::int32_t name = 0;      // index into the names
  std::int32_t domain = 0;    // likewise
  std::int32_t category = 0;  // likewise
  std::int32_t depth = 0;     // pushed ranges of the same thread and domain around it
  RangeEnd end = RangeEnd::kPopped;
  std::string payload = {};  // "4096", "layer=3 tokens=512"; empty: none
};

/// What an attached program annotated and did on GPUs, all of its processes and threads.
struct AttachRecord {
  std::string command;     // as it was started
  std::string started_at;  // ISO 8601 UTC
  std::optional<int> exit_code = {};
  std::optional<int> signal = {};  // that ended it
  std::vector<AttachedProcess> processes = {};
  std::vector<AttachedThread> threads = {};
  std::vector<std::string> names = {};
  std::vector<AttachedRange> ranges = {};  // by thread, then start
  AttachedGpuPart gpu = {};
};

}  // namespace dachlast
